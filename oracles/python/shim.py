"""What every shim in Python needs: the loop of the shim protocol (test-vectors/PROTOCOL.md), the line between what the
library refuses and what breaks here, the randomness that a request gives, and a look into a frame.
"""

import asyncio
import json
import secrets
import sys


class Refused(Exception):
    """The implementation does not accept the input."""


def ask(function, *arguments):
    """Calls the library. What it raises is its refusal; an error anywhere else is this program's own and ends it."""
    try:
        result = function(*arguments)
        return finish(result) if asyncio.iscoroutine(result) else result
    except Exception as error:
        words = []
        while error is not None:
            words.append(f"{type(error).__name__}: {error}".split("\n")[0].rstrip(": "))
            error = error.__cause__
        raise Refused(" <- ".join(words)) from None


def finish(coroutine):
    """The library's coroutines wait for nothing but the storage, which is in memory: one step runs them to the end."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    sys.exit("the library waits for something that is not here")


given = {}


def give(randomness):
    given.clear()
    given.update((role, bytes.fromhex(value)) for role, value in randomness.items())


def draw(role, size):
    """The value that was given for the role, once; then the system's."""
    return given.pop(role, None) or secrets.token_bytes(size)


class Secrets:
    """Stands where a module of the library has the standard module `secrets`. Length tells the role."""

    def __init__(self, roles):
        self.roles = roles

    def token_bytes(self, size):
        return draw(self.roles[size], size)

    choice = staticmethod(secrets.choice)


def wire_type(message, wanted):
    """The protobuf wire type of the first field with this number, None if there is none. The library's parser cannot
    tell a key exchange from a message: it takes either for either and leaves the fields empty."""
    position = 0

    def varint():
        nonlocal position
        value = shift = 0
        while True:
            byte = message[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    try:
        while True:
            field, kind = divmod(varint(), 8)
            if field == wanted:
                return kind
            if kind == 0:
                varint()
            elif kind == 2:
                length = varint()
                position += length
            else:
                position += {1: 8, 5: 4}[kind]
    except (IndexError, KeyError):
        return None


def hexadecimal(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {key: hexadecimal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [hexadecimal(item) for item in value]
    return value


def answer(shim, request):
    operation, input = request["operation"], request["input"]
    if operation == "hello":
        return {"output": {"name": shim.name, "version": shim.version, "protocols": [shim.protocol]}}
    run = getattr(shim, "do_" + operation.replace("-", "_"), None)
    if request["protocol"] != shim.protocol or run is None:
        return {"unsupported": f"{shim.name} has no {operation} of {request['protocol']}"}
    give(input.get("randomness", {}))
    try:
        return {"output": hexadecimal(run(input) or {})}
    except Refused as refusal:
        return {"refused": str(refusal)}


def serve(shim):
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps({"id": request["id"], **answer(shim, request)}), flush=True)
