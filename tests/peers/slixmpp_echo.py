#!/usr/bin/env python3
"""An echo bot on slixmpp-omemo: somebody else's OMEMO to test ours against.

It logs in, publishes its device, trusts blindly, and answers every message that it can decrypt with "echo: " and the
same text, encrypted, in the protocol in which it came. It speaks omemo:2 (slixmpp-omemo has no XEP-0420, so the envelope is
made here) and legacy OMEMO; --namespace says which of them it publishes.

Standard output is one JSON object a line, with the names that the `omemo` command uses:
  ready {jid, device, fingerprint}           message {id, from, device, protocol, body}
  sent {to, id, served: [{jid, device, protocol}], stanzas}
  empty {from, device, protocol}             a message without content: key exchanges are answered with one
  not_for_us {id, from, protocols}           nothing in it was encrypted to this device
  undecryptable {id, from, protocol, reason} plaintext {from, body}           error {message}

Standard input takes the same:
  {"cmd": "send", "to": JID, "body": TEXT}   {"cmd": "devices", "jid": JID}   {"cmd": "quit"}
The end of input quits, too. The password is taken from PEER_PASSWORD.
"""
import argparse
import asyncio
import base64
import json
import logging
import os
import secrets
import sys
import threading
from datetime import datetime, timezone
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape, quoteattr

import oldmemo
import oldmemo.etree
import twomemo
import twomemo.etree
from omemo.session_manager import MessageNotForUs, UnknownNamespace
from omemo.storage import Just, Nothing, Storage
from slixmpp.clientxmpp import ClientXMPP
from slixmpp.jid import JID
from slixmpp.plugins import register_plugin
from slixmpp.xmlstream.handler import CoroutineCallback
from slixmpp.xmlstream.matcher import MatchXPath
from slixmpp_omemo import XEP_0384, TrustLevel
from slixmpp_omemo.xep_0384 import _make_session_manager

OMEMO2 = twomemo.twomemo.NAMESPACE
LEGACY = oldmemo.oldmemo.NAMESPACE
DEVICE_LISTS = {OMEMO2: OMEMO2 + ":devices", LEGACY: LEGACY + ".devicelist"}
PROTOCOLS = {"both": (OMEMO2, LEGACY), "omemo2": (OMEMO2,), "legacy": (LEGACY,)}
SCE = "urn:xmpp:sce:1"


def say(event, **fields):
    print(json.dumps({"event": event, **fields}), flush=True)


class JsonStorage(Storage):
    """Everything that OMEMO wants remembered, in one JSON file, replaced as a whole."""

    def __init__(self, path):
        super().__init__()
        self.path = path
        self.data = json.loads(path.read_text()) if path.exists() else {}

    def _save(self):
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.data))
        new.replace(self.path)

    async def _load(self, key):
        return Just(self.data[key]) if key in self.data else Nothing()

    async def _store(self, key, value):
        self.data[key] = value
        self._save()

    async def _delete(self, key):
        self.data.pop(key, None)
        self._save()


class PeerOmemo(XEP_0384):
    """slixmpp-omemo, made to speak only the protocols that it is told to."""

    default_config = {"fallback_message": "This message is OMEMO encrypted.", "store": None, "protocols": ()}
    _made = None

    @property
    def storage(self):
        return self.store

    @property
    def _btbv_enabled(self):
        return True

    async def _devices_blindly_trusted(self, blindly_trusted, identifier):
        pass

    async def _prompt_manual_trust(self, manually_trusted, identifier):
        # Nobody sits before this screen.
        manager = await self.get_session_manager()
        for device in manually_trusted:
            await manager.set_trust(device.bare_jid, device.identity_key, TrustLevel.TRUSTED.value)

    async def get_session_manager(self):
        if self._made is None:
            self._made = asyncio.ensure_future(self._make())
        return await self._made

    async def _make(self):
        backends = {OMEMO2: twomemo.Twomemo, LEGACY: oldmemo.Oldmemo}
        manager = await _make_session_manager(self.xmpp, self).create(
            [backends[protocol](self.store, 1000, None) for protocol in self.protocols], self.store, self.xmpp.boundjid.bare,
            initial_own_label=None, undecided_trust_level_name=TrustLevel.UNDECIDED.value,
            signed_pre_key_rotation_period=7 * 24 * 3600, pre_key_refill_threshold=99)
        await manager.ensure_data_consistency()
        await manager.after_history_sync()
        self.xmpp.event("omemo_initialized")
        return manager

    async def _on_device_list_update(self, msg):
        try:
            await super()._on_device_list_update(msg)
        except UnknownNamespace:
            pass  # a list of the protocol that we do not speak


register_plugin(PeerOmemo)


class Peer(ClientXMPP):
    def __init__(self, options):
        super().__init__(options.jid, os.environ["PEER_PASSWORD"])
        self.options = options
        self.protocols = PROTOCOLS[options.namespace]
        self.quit = asyncio.Event()
        self.lines = asyncio.Queue()
        self.own_device = None
        self.ca_certs = options.ca
        self.enable_direct_tls = False  # STARTTLS on the port we were given
        for plugin in ("xep_0030", "xep_0045", "xep_0060", "xep_0115", "xep_0163", "xep_0199", "xep_0280", "xep_0334",
                       "xep_0380"):
            self.register_plugin(plugin)
        self.register_plugin("xep_0384", {"store": JsonStorage(options.data), "protocols": self.protocols},
                             module=sys.modules[__name__])
        self.add_event_handler("session_start", self.on_session)
        self.add_event_handler("omemo_initialized", self.on_omemo)
        self.add_event_handler("failed_all_auth", lambda _: self.give_up("wrong password"))
        self.add_event_handler("connection_failed", lambda reason: self.give_up(f"no connection: {reason}"))
        self.register_handler(CoroutineCallback("omemo", MatchXPath("{jabber:client}message"), self.on_message))

    def read_input(self):
        # A thread, because an event loop cannot wait for just any kind of standard input. It reads from the beginning: whoever
        # has started us may go away before we are ready.
        loop = asyncio.get_running_loop()

        def pump():
            for line in sys.stdin:
                loop.call_soon_threadsafe(self.lines.put_nowait, line)
            loop.call_soon_threadsafe(self.quit.set)

        threading.Thread(target=pump, daemon=True).start()

    def give_up(self, message):
        say("error", message=message)
        self.quit.set()

    @property
    def omemo(self):
        return self.plugin["xep_0384"]

    async def on_session(self, _):
        # slixmpp-omemo asks for the +notify features before the JID is bound, and slixmpp then leaves them out of its
        # caps, so that no PEP event would ever come. Asked again now, they count.
        self.plugin["xep_0163"].add_interest([DEVICE_LISTS[protocol] for protocol in self.protocols])
        await self.plugin["xep_0115"].update_caps(broadcast=False)
        self.send_presence()
        await self.get_roster()
        for jid in self.options.subscribe:
            # Peers that cannot publish openly show their devices to subscribers only.
            self.send_presence_subscription(pto=jid, ptype="subscribe")

    async def on_omemo(self, _):
        manager = await self.omemo.get_session_manager()
        own, _others = await manager.get_own_device_information()
        self.own_device = own.device_id
        say("ready", jid=self.boundjid.bare, device=own.device_id, fingerprint=fingerprint(manager, own))
        asyncio.ensure_future(self.take_commands())

    async def take_commands(self):
        while not self.quit.is_set():
            command = json.loads(await self.lines.get())
            try:
                if command["cmd"] == "quit":
                    self.quit.set()
                elif command["cmd"] == "send":
                    await self.send_encrypted(command["to"], command["body"], self.protocols)
                elif command["cmd"] == "devices":
                    await self.list_devices(command["jid"])
            except Exception as error:  # whatever it is, the test should read it
                say("error", message=f"{command}: {error!r}")

    async def list_devices(self, jid):
        manager = await self.omemo.get_session_manager()
        await self.refresh(manager, jid)
        devices = await manager.get_device_information(jid)
        say("devices", jid=jid, devices=[
            {"device": device.device_id, "protocols": sorted(device.namespaces), "fingerprint": fingerprint(manager, device)}
            for device in devices])

    async def refresh(self, manager, jid):
        for protocol in self.protocols:
            try:
                await manager.refresh_device_list(protocol, jid)
            except Exception as error:
                print(f"device list of {jid} in {protocol}: {error!r}", file=sys.stderr, flush=True)

    # Sending

    def envelope(self, body):
        """XEP-0420, in default namespaces: some clients look elements up by their qualified names."""
        stamp = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        padding = base64.b64encode(secrets.token_bytes(secrets.randbelow(100))).decode()
        return (f'<envelope xmlns="{SCE}"><content><body xmlns="jabber:client">{escape(body)}</body></content>'
                f'<rpad>{padding}</rpad><time stamp="{stamp}"/><from jid={quoteattr(self.boundjid.bare)}/></envelope>').encode()

    async def send_encrypted(self, to, body, protocols):
        """Encrypts to every device of the account in the first of `protocols` that it has."""
        manager = await self.omemo.get_session_manager()
        await self.refresh(manager, to)
        plaintexts = {OMEMO2: self.envelope(body), LEGACY: body.encode()}
        messages, errors = await manager.encrypt(
            frozenset({to}), {protocol: plaintexts[protocol] for protocol in protocols}, list(protocols))
        # --shape: what to do where some devices need one protocol and some the other
        identifier = self.new_id()
        groups = [list(messages)] if self.options.shape == "one" else [[message] for message in messages]
        for group in groups:
            stanza = self.make_message(mto=JID(to), mtype="chat")
            stanza["id"] = identifier
            if any(message.namespace == LEGACY for message in group):
                stanza["body"] = self.omemo.fallback_message
            stanza.enable("store")
            for message in group:
                serialize = twomemo.etree.serialize_message if message.namespace == OMEMO2 else oldmemo.etree.serialize_message
                stanza.append(serialize(message))
            stanza["eme"]["namespace"] = group[0].namespace
            stanza["eme"]["name"] = "OMEMO"
            stanza.send()
        say("sent", to=to, id=identifier, stanzas=len(groups),
            served=[{"jid": key.bare_jid, "device": key.device_id, "protocol": message.namespace}
                    for message in messages for key, _kex in message.keys],
            unserved=[str(error) for error in errors])

    # Receiving

    async def on_message(self, stanza):
        if self.options.stock:
            await self.receive_as_applications_do(stanza)
            return
        sender = stanza["from"].bare
        found = {protocol: stanza.xml.find(f"{{{protocol}}}encrypted") for protocol in (OMEMO2, LEGACY)}
        present = [protocol for protocol in found if found[protocol] is not None]
        about = {"id": stanza["id"], "from": sender}
        if stanza["type"] == "error":
            say("error", message=str(stanza))
        elif not present and stanza["body"]:
            say("plaintext", body=stanza["body"], **about)
        elif present:
            for protocol in present:
                if protocol in self.protocols and await self.receive(stanza, protocol, found[protocol], about):
                    return
            say("not_for_us", protocols=present, **about)

    async def receive(self, stanza, protocol, element, about):
        """Whether the element was for this device, be it readable or not."""
        manager = await self.omemo.get_session_manager()
        sender = about["from"]
        try:
            if protocol == OMEMO2:
                message = twomemo.etree.parse_message(element, sender)
            else:
                message = await oldmemo.etree.parse_message(element, sender, self.boundjid.bare, manager)
            plaintext, device, _keys = await manager.decrypt(message)
        except MessageNotForUs:
            return False
        except Exception as error:
            say("undecryptable", protocol=protocol, reason=repr(error), **about)
            return True
        about = {**about, "device": device.device_id, "protocol": protocol}
        if plaintext is None:
            say("empty", **about)
            return True
        body = plaintext.decode()
        if protocol == OMEMO2:
            envelope = ElementTree.fromstring(body)
            author = envelope.find(f"{{{SCE}}}from")
            if author is not None and JID(author.get("jid")).bare != sender:
                say("undecryptable", reason=f"the envelope is from {author.get('jid')}", **about)
                return True
            element = envelope.find(f"{{{SCE}}}content/{{jabber:client}}body")
            body = None if element is None else element.text
        say("message", body=body, **about)
        if body is not None and not self.options.quiet and sender != self.boundjid.bare:
            await self.send_encrypted(sender, "echo: " + body, (protocol,))
        return True

    async def receive_as_applications_do(self, stanza):
        """The way of slixmpp-omemo's own example: whatever the plugin raises would be shown to a person."""
        about = {"id": stanza["id"], "from": stanza["from"].bare}
        protocols = sorted(self.omemo.is_encrypted(stanza))
        if not protocols:
            if stanza["body"]:
                say("plaintext", body=stanza["body"], **about)
            return
        try:
            plain, device = await self.omemo.decrypt_message(stanza)
            say("message" if plain["body"] else "empty", body=plain["body"], device=device.device_id, protocols=protocols, **about)
        except Exception as error:
            say("exception", kind=type(error).__name__, reason=str(error), protocols=protocols, **about)


def fingerprint(manager, device):
    """The Curve25519 key in hexadecimal, as people compare it, without the spaces."""
    return "".join(manager.format_identity_key(device.identity_key))


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jid", required=True)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ca", required=True, type=Path, help="the certificate authority to trust (PEM)")
    parser.add_argument("--data", required=True, type=Path, help="JSON file for keys and sessions; made where there is none")
    parser.add_argument("--namespace", default="both", choices=PROTOCOLS, help="what to publish and to speak")
    parser.add_argument("--quiet", action="store_true", help="do not echo")
    parser.add_argument("--subscribe", action="append", default=[], metavar="JID", help="subscribe to this account's presence")
    parser.add_argument("--shape", default="two", choices=["one", "two"],
                        help="serve devices of both kinds with one stanza or with two (default) of the same id")
    parser.add_argument("--stock", action="store_true", help="decrypt as the plugin's own example does; implies --quiet")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    peer = Peer(options)
    peer.read_input()
    peer.connect(options.host, options.port)
    await peer.quit.wait()
    peer.disconnect()
    await asyncio.sleep(0.3)  # lets the stream close in order


asyncio.run(main())
