"""The operations of the shim protocol in which Twomemo and Oldmemo differ in nothing but their classes.

The libraries are run as they are. Everything cryptographic is theirs: X3DH is x3dh's, a key exchange that comes in and
each message are the backend's, and `restart` goes through the backend's own storage. Only what a backend does in one
step (agree on a key and seal the first message) is taken apart, because the protocol has `initiate` and `seal`.
"""

import base64
import importlib
import itertools
import json
import xml.etree.ElementTree as ET

import doubleratchet
import x3dh
import x3dh.base_state
import x3dh.models
import xeddsa
from doubleratchet.kdf_chain import KDFChain
from doubleratchet.models import DoubleRatchetModel
from doubleratchet.recommended.diffie_hellman_ratchet_curve25519 import DiffieHellmanRatchet
from omemo.session import Initiation
from omemo.storage import Just, Nothing, Storage
from x3dh.types import SecretType

from shim import Refused, Secrets, ask, draw, finish, give

x3dh.base_state.secrets = Secrets({32: "ephemeral-key"})
DiffieHellmanRatchet._generate_priv = staticmethod(lambda: draw("ratchet-key", 32))

# The library keeps the sign bit of the Ed25519 form that a secret happens to have. The protocol of the shims wants bit
# 0, which names the same Curve25519 key.
keep_sign = xeddsa.priv_to_ed25519_pub
xeddsa.priv_to_ed25519_pub = lambda secret: (key := keep_sign(secret))[:31] + bytes([key[31] & 0x7F])


class Memory(Storage):
    """The storage that the library asks for."""

    def __init__(self, rows):
        super().__init__(disable_cache=True)
        self.rows = rows

    async def _load(self, key):
        return Just(self.rows[key]) if key in self.rows else Nothing()

    async def _store(self, key, value):
        self.rows[key] = value

    async def _delete(self, key):
        self.rows.pop(key, None)


class Device:
    """What the shim keeps for the library: secrets in hexadecimal, and of each peer the sessions, the one that seals
    first. A backend's storage holds one session a device, so every session gets a device id of its own there."""

    def __init__(self, identity, signed_pre_keys, pre_keys):
        self.identity = identity
        self.signed_pre_keys = signed_pre_keys
        self.pre_keys = pre_keys
        self.sessions = {}
        self.count = 0

    def prefer(self, peer, session):
        others = [other for other in self.sessions.get(peer, []) if other is not session]
        self.sessions[peer] = [session, *others]


class Memo:
    """The operations. A subclass names the library and says how keys and frames of its protocol look."""

    name: str
    protocol: str

    def __init__(self):
        package = self.name.lower()
        self.library = importlib.import_module(f"{package}.{package}")
        self.etree = importlib.import_module(f"{package}.etree")
        self.etree.EncryptedKeyMaterialImpl = Key
        self.etree.KeyExchangeImpl = KeyExchange
        self.version = importlib.import_module(f"{package}.version").__version__
        self.backend = self.new_backend({})
        self.device = None

    def new_backend(self, rows):
        return getattr(self.library, self.name)(Memory(rows))

    def limits(self):
        return self.backend.max_num_per_message_skipped_keys, self.backend.max_num_per_session_skipped_keys

    def state_model(self, identity, signed_pre_key=bytes(32), signature=bytes(64), pre_keys=()):
        return x3dh.models.BaseStateModel(
            identity_key=x3dh.models.IdentityKeyPairModel(secret=identity, secret_type=SecretType.PRIV),
            signed_pre_key=x3dh.models.SignedPreKeyPairModel(priv=signed_pre_key, sig=signature, timestamp=0),
            old_signed_pre_key=None,
            pre_keys=frozenset(pre_keys),
        )

    def state(self, *arguments):
        return self.library.StateImpl.from_model(
            self.state_model(*arguments),
            x3dh.IdentityKeyFormat.ED_25519,
            x3dh.HashFunction.SHA_256,
            self.library.StateImpl.INFO,
        )

    def pre_keys(self, fields):
        return (ask(self.read_key, bytes.fromhex(fields[name])) for name in ("signed_pre_key", "pre_key"))

    # --- Conversations

    def do_device(self, input):
        signed = {key["id"]: (key["secret"], key["signature"]) for key in input["signed_pre_keys"]}
        self.device = Device(input["identity_secret"], signed, {key["id"]: key["secret"] for key in input["pre_keys"]})

    def do_add_signed_pre_key(self, input):
        self.device.signed_pre_keys[input["id"]] = (input["secret"], input["signature"])

    def do_forget_signed_pre_key(self, input):
        self.device.signed_pre_keys.pop(input["id"], None)

    def do_forget_pre_key(self, input):
        self.device.pre_keys.pop(input["id"], None)

    def do_initiate(self, input):
        peer, fields = input["peer"], input["bundle"]
        identity, signature = self.signer(bytes.fromhex(fields["identity_key"]), bytes.fromhex(fields["signature"]))
        signed_pre_key, pre_key = self.pre_keys(fields)
        bundle = x3dh.Bundle(identity, signed_pre_key, signature, frozenset([pre_key]))

        state = self.state(bytes.fromhex(self.device.identity))
        secret, associated_data, header = ask(state.get_shared_secret_active, bundle)
        library, (per_message, per_session) = self.library, self.limits()
        kdfs = (library.RootChainKDFImpl, library.MessageChainKDFImpl, library.DoubleRatchetImpl.MESSAGE_CHAIN_CONSTANT)
        root, chain, constant = kdfs
        ratchet = ask(DiffieHellmanRatchet.create, None, signed_pre_key, root, secret, chain, constant, per_message)
        model = DoubleRatchetModel(diffie_hellman_ratchet=ratchet.model, skipped_message_keys=[])
        double_ratchet = library.DoubleRatchetImpl.from_model(
            model, DiffieHellmanRatchet, *kdfs, per_message, per_session, library.AEADImpl
        )
        exchange = library.KeyExchangeImpl(header, fields["signed_pre_key_id"], fields["pre_key_id"])
        self.device.count += 1
        session = library.SessionImpl(
            peer, self.device.count, Initiation.ACTIVE, exchange, associated_data, double_ratchet
        )
        self.device.prefer(peer, session)

    def do_seal(self, input):
        sessions = self.device.sessions.get(input["peer"])
        if not sessions:
            raise Refused("no session with this peer")
        session = sessions[0]
        plain = self.library.PlainKeyMaterialImpl(bytes.fromhex(input["plaintext"]), b"")
        frame = ask(self.backend.encrypt_key_material, session, plain).serialize()
        key_exchange = session.initiation is Initiation.ACTIVE and not session.confirmed
        if key_exchange:
            frame = ask(self.write_exchange, session.key_exchange, frame)
        return {"frame": frame, "key_exchange": key_exchange}

    def do_open(self, input):
        peer, frame = input["peer"], bytes.fromhex(input["frame"])
        sessions = self.device.sessions.get(peer, [])
        exchange, message = None, frame
        if self.is_exchange(frame):
            exchange, message = ask(self.read_exchange, frame)
            sessions = [
                session
                for session in sessions
                if session.initiation is Initiation.PASSIVE and session.key_exchange.builds_same_session(exchange)
            ]
        material = ask(self.library.EncryptedKeyMaterialImpl.parse, message, peer, 0)
        if exchange is not None and not sessions:
            session, plain = self.accept(peer, exchange, material)
        else:
            session, plain = self.read(sessions, material, input.get("randomness", {}))
        self.device.prefer(peer, session)
        return {"plaintext": plain.key + plain.auth_tag}

    def read(self, sessions, material, randomness):
        """Tries the sessions. One that cannot read the message forgets what it drew for it, so each gets the same."""
        refusal = None
        for session in sessions:
            give(randomness)
            try:
                return session, ask(self.backend.decrypt_key_material, session, material)
            except Refused as error:
                refusal = refusal or error
        raise refusal or Refused("no session with this peer")

    def accept(self, peer, exchange, material):
        """Has a backend of its own, whose storage holds just the keys that the key exchange names, make the session."""
        device, namespace = self.device, self.library.NAMESPACE
        if exchange.signed_pre_key_id not in device.signed_pre_keys:
            raise Refused(f"no signed pre key with id {exchange.signed_pre_key_id}")
        if exchange.pre_key_id not in device.pre_keys:
            raise Refused(f"no pre key with id {exchange.pre_key_id}")
        signed_pre_key, signature = map(bytes.fromhex, device.signed_pre_keys[exchange.signed_pre_key_id])
        pre_key = bytes.fromhex(device.pre_keys[exchange.pre_key_id])

        def row(secret, number):
            return {base64.b64encode(xeddsa.priv_to_curve25519_pub(secret)).decode(): number}

        model = self.state_model(bytes.fromhex(device.identity), signed_pre_key, signature, [pre_key])
        backend = self.new_backend(
            {
                f"/{namespace}/x3dh": json.loads(model.model_dump_json()),
                f"/{namespace}/signed_pre_key_ids": row(signed_pre_key, exchange.signed_pre_key_id),
                f"/{namespace}/pre_key_ids": row(pre_key, exchange.pre_key_id),
            }
        )
        made = ask(backend.build_session_passive, peer, device.count + 1, exchange, material)
        device.count += 1
        return made

    def do_restart(self, input):
        device, rows = self.device, {}
        backend = self.new_backend(rows)
        for sessions in device.sessions.values():
            for session in sessions:
                finish(backend.store_session(session))
        kept = {
            "identity": device.identity,
            "signed_pre_keys": list(device.signed_pre_keys.items()),
            "pre_keys": list(device.pre_keys.items()),
            "sessions": {
                peer: [session.device_id for session in sessions] for peer, sessions in device.sessions.items()
            },
            "count": device.count,
            "rows": rows,
        }
        written = json.dumps(kept)
        del device, rows, backend, kept
        self.device = None

        kept = json.loads(written)
        backend = self.new_backend(kept["rows"])
        self.device = Device(kept["identity"], dict(kept["signed_pre_keys"]), dict(kept["pre_keys"]))
        self.device.count = kept["count"]
        for peer, numbers in kept["sessions"].items():
            self.device.sessions[peer] = [finish(backend.load_session(peer, number)) for number in numbers]

    # --- Keys

    def do_public_key(self, input):
        return {"public": ask(xeddsa.priv_to_curve25519_pub, bytes.fromhex(input["secret"]))}

    def do_diffie_hellman(self, input):
        return {"shared": ask(xeddsa.x25519, bytes.fromhex(input["secret"]), bytes.fromhex(input["public"]))}

    def do_decode_identity(self, input):
        key = ask(self.read_identity, bytes.fromhex(input["key"]))
        return {"public": ask(xeddsa.ed25519_pub_to_curve25519_pub, key)}

    def do_encode_identity(self, input):
        return {"key": ask(self.write_identity, ask(xeddsa.priv_to_ed25519_pub, bytes.fromhex(input["secret"])))}

    def do_sign(self, input):
        secret = ask(xeddsa.priv_force_sign, bytes.fromhex(input["secret"]), False)
        message, nonce = bytes.fromhex(input["message"]), bytes.fromhex(input["nonce"])
        return {"signature": ask(xeddsa.ed25519_priv_sign, secret, message, nonce)}

    def do_verify(self, input):
        identity, signature = self.signer(bytes.fromhex(input["identity_key"]), bytes.fromhex(input["signature"]))
        if not ask(xeddsa.ed25519_verify, signature, identity, bytes.fromhex(input["message"])):
            raise Refused("ed25519_verify says that the signature is wrong")

    # --- X3DH and the steps of the ratchet

    def do_x3dh_initiate(self, input):
        identity = ask(self.read_identity, bytes.fromhex(input["identity_key"]))
        signed_pre_key, pre_key = self.pre_keys(input)
        give({"ephemeral-key": input["ephemeral_secret"]})
        bundle = x3dh.Bundle(identity, signed_pre_key, bytes(64), frozenset([pre_key]))
        # The case has no signature, and the library checks one here: for this call it believes anything.
        verify, xeddsa.ed25519_verify = xeddsa.ed25519_verify, lambda *_: True
        try:
            secret, _, _ = ask(self.state(bytes.fromhex(input["identity_secret"])).get_shared_secret_active, bundle)
        finally:
            xeddsa.ed25519_verify = verify
        return {"root_key": secret}

    def do_x3dh_respond(self, input):
        identity = ask(self.read_identity, bytes.fromhex(input["identity_key"]))
        ephemeral = ask(self.read_key, bytes.fromhex(input["ephemeral_key"]))
        own, signed_pre_key, pre_key = (
            bytes.fromhex(input[key]) for key in ("identity_secret", "signed_pre_key_secret", "pre_key_secret")
        )
        public = xeddsa.priv_to_curve25519_pub
        header = x3dh.Header(identity, ephemeral, ask(public, signed_pre_key), ask(public, pre_key))
        state = self.state(own, signed_pre_key, bytes(64), [pre_key])
        return {"root_key": ask(state.get_shared_secret_passive, header)[0]}

    def do_root_step(self, input):
        chain = KDFChain.create(self.library.RootChainKDFImpl, bytes.fromhex(input["root_key"]))
        chain_key = ask(chain.step, bytes.fromhex(input["shared"]), 32)
        return {"root_key": chain.model.key, "chain_key": chain_key}

    def do_chain_step(self, input):
        chain = KDFChain.create(self.library.MessageChainKDFImpl, bytes.fromhex(input["chain_key"]))
        message_key = ask(chain.step, self.library.DoubleRatchetImpl.MESSAGE_CHAIN_CONSTANT, 32)
        return {"message_key": message_key, "chain_key": chain.model.key}

    def do_message_keys(self, input):
        aead, message_key = self.library.AEADImpl, bytes.fromhex(input["message_key"])
        derived = ask(aead._AEADImpl__derive, message_key, aead._get_hash_function(), aead._get_info())
        return dict(zip(("encryption_key", "mac_key", "iv"), derived))

    def associated_data(self, input, header):
        identities = self.order_identities(*(bytes.fromhex(input[key]) for key in ("sender", "receiver")), input)
        return ask(self.library.DoubleRatchetImpl._build_associated_data, b"".join(identities), header)

    def do_seal_message(self, input):
        ratchet_key = ask(self.read_key, bytes.fromhex(input["ratchet_key"]))
        header = doubleratchet.Header(ratchet_key, input["previous"], input["number"])
        message_key, plaintext = bytes.fromhex(input["message_key"]), bytes.fromhex(input["plaintext"])
        associated_data = self.associated_data(input, header)
        return {"frame": ask(self.library.AEADImpl.encrypt, plaintext, message_key, associated_data)}

    def do_open_message(self, input):
        parse = self.library.EncryptedKeyMaterialImpl.parse
        header, frame = ask(parse, bytes.fromhex(input["frame"]), "", 0).encrypted_message
        associated_data = self.associated_data(input, header)
        plaintext = ask(self.library.AEADImpl.decrypt, frame, bytes.fromhex(input["message_key"]), associated_data)
        return {
            "plaintext": plaintext,
            "ratchet_key": self.write_key(header.ratchet_pub),
            "number": header.sending_chain_length,
            "previous": header.previous_sending_chain_length,
        }

    # --- Payloads and XML

    def do_seal_payload(self, input):
        content, key = ask(self.backend.encrypt_plaintext, bytes.fromhex(input["plaintext"]))
        return {"key": key.key + key.auth_tag, **self.content_fields(content)}

    def do_open_payload(self, input):
        key, length = bytes.fromhex(input["key"]), self.library.PlainKeyMaterialImpl.KEY_LENGTH
        material = self.library.PlainKeyMaterialImpl(key[:length], key[length:])
        return {"plaintext": ask(self.backend.decrypt_plaintext, self.content(input), material)}

    def do_parse_bundle(self, input):
        parsed = ask(self.etree.parse_bundle, ask(ET.fromstring, input["xml"]), "peer@example.org", 1)
        keys = parsed.bundle
        return {
            "identity_key": ask(self.write_identity, keys.identity_key),
            "signed_pre_key_id": parsed.signed_pre_key_id,
            "signed_pre_key": self.write_key(keys.signed_pre_key),
            "signature": self.bundle_signature(keys),
            "pre_keys": [[number, self.write_key(key)] for key, number in parsed.pre_key_ids.items()],
        }

    def do_parse_devices(self, input):
        devices = ask(self.etree.parse_device_list, ask(ET.fromstring, input["xml"]))
        return {
            "devices": [
                {"id": number} if label is None else {"id": number, "label": label.label}
                for number, label in devices.items()
            ]
        }

    def do_parse_message(self, input):
        message = self.parse_message(ask(ET.fromstring, input["xml"]))
        keys = sorted((key for key, _ in message.keys), key=lambda key: key.place)
        output = {"sid": message.device_id, "keys": [self.key_fields(key) for key in keys]}
        # Without a payload Oldmemo drops the `iv` of the element and draws one of its own.
        if not message.content.empty:
            output |= self.content_fields(message.content)
        return output


class Key:
    """Stands in the library's XML parser for the class that reads a key's bytes. `parse-message` wants them as they
    stand, and in the order of the element; the parser puts them into a set."""

    places = itertools.count()

    def __init__(self, key, bare_jid, device_id):
        self.key = key
        self.bare_jid = bare_jid
        self.device_id = device_id
        self.place = next(Key.places)

    @staticmethod
    def parse(key, bare_jid, device_id):
        return Key(key, bare_jid, device_id)


class KeyExchange:
    """Stands there for the class that takes a key exchange apart."""

    @staticmethod
    def parse(key, *_):
        return None, key
