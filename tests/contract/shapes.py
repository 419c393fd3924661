"""Compares a raw reply with botocore's model of the operation, member by member.

botocore's parsers forgive: a member they do not know is dropped, a wrong enum value is passed on. AWS sends neither, so here
both are faults. Works on the bytes that came over the wire, JSON, CBOR and XML; knows nothing of what the values mean.
"""

import base64
import binascii
import json
import re
import struct
import xml.etree.ElementTree as ET


class Comparison:
    """One reply against one shape: `members` counts what was compared, `faults` says what differs and where."""

    def __init__(self):
        self.members = 0
        self.faults = []
        self.tagged = False

    def fault(self, where, text):
        self.faults.append(f"{where}: {text}")

    # JSON

    def json(self, value, shape, where):
        self.members += 1
        if value is None:
            return self.fault(where, "is null; AWS leaves the member out")
        kind = shape.type_name
        if kind == "structure":
            return self._json_structure(value, shape, where)
        if kind == "list":
            if not isinstance(value, list):
                return self.fault(where, f"is {type(value).__name__}, the model says list")
            self._bounds(len(value), shape, where, "items")
            for i, item in enumerate(value):
                self.json(item, shape.member, f"{where}[{i}]")
            return None
        if kind == "map":
            if not isinstance(value, dict):
                return self.fault(where, f"is {type(value).__name__}, the model says map")
            for key, item in value.items():
                self.json(key, shape.key, f"{where} key")
                self.json(item, shape.value, f"{where}.{key}")
            return None
        return self._json_scalar(value, shape, where)

    def _json_structure(self, value, shape, where):
        if not isinstance(value, dict):
            return self.fault(where, f"is {type(value).__name__}, the model says structure {shape.name}")
        known = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        for key, item in value.items():
            if key in known:
                self.json(item, known[key], f"{where}.{key}")
            else:
                self.fault(f"{where}.{key}", f"is no member of {shape.name}")
        for name in shape.required_members:
            if shape.members[name].serialization.get("name", name) not in value:
                self.fault(f"{where}.{name}", f"is required by {shape.name} and missing")
        return None

    def _json_scalar(self, value, shape, where):
        kind = shape.type_name
        whole = isinstance(value, int) and not isinstance(value, bool)
        number = whole or isinstance(value, float)
        right = {
            "string": isinstance(value, str),
            "character": isinstance(value, str),
            "boolean": isinstance(value, bool),
            "integer": whole,
            "long": whole,
            "double": number,
            "float": number,
            # JSON 1.1 writes times as epoch seconds, CBOR tags them.
            "timestamp": number and (isinstance(value, Time) or not self.tagged),
            "blob": isinstance(value, str),
        }[kind]
        if not right:
            return self.fault(where, f"is {value!r}, the model says {kind}")
        if kind == "timestamp" and not 1_000_000_000 < value < 4_000_000_000:
            return self.fault(where, f"is {value!r}, no epoch time in seconds")
        if kind == "blob":
            try:
                base64.b64decode(value, validate=True)
            except binascii.Error:
                self.fault(where, "is no base64")
        return self._value(value, shape, where)

    # XML

    def xml(self, element, shape, where):
        self.members += 1
        kind = shape.type_name
        children = list(element)
        if kind == "structure":
            known = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
            seen = set()
            for child in children:
                tag = local_name(child)
                if tag not in known:
                    self.fault(f"{where}.{tag}", f"is no member of {shape.name}")
                    continue
                name, member = known[tag]
                flattened = member.serialization.get("flattened")
                if name in seen and not flattened:
                    self.fault(f"{where}.{tag}", "occurs twice")
                seen.add(name)
                self.xml(child, member, f"{where}.{tag}")
            for name in shape.required_members:
                if name not in seen:
                    self.fault(f"{where}.{name}", f"is required by {shape.name} and missing")
        elif kind == "list":
            item_tag = shape.member.serialization.get("name", "member")
            self._bounds(len(children), shape, where, "items")
            if (element.text or "").strip():
                self.fault(where, "is a list with text in it")
            for i, child in enumerate(children):
                if local_name(child) != item_tag:
                    self.fault(f"{where}[{i}]", f"is <{local_name(child)}>, the model says <{item_tag}>")
                self.xml(child, shape.member, f"{where}[{i}]")
        elif kind == "map":
            for child in children:
                parts = {local_name(part): part for part in child}
                if set(parts) != {"key", "value"}:
                    self.fault(where, f"has an entry of {sorted(parts)}")
                    continue
                self.xml(parts["key"], shape.key, f"{where} key")
                self.xml(parts["value"], shape.value, f"{where}.{parts['key'].text}")
        else:
            if children:
                self.fault(where, f"has elements inside, the model says {kind}")
            self._xml_scalar(element.text or "", shape, where)

    def _xml_scalar(self, text, shape, where):
        pattern = {
            "integer": r"-?\d+",
            "long": r"-?\d+",
            "double": r"-?\d+(\.\d+)?([eE]-?\d+)?",
            "float": r"-?\d+(\.\d+)?([eE]-?\d+)?",
            "boolean": r"true|false",
            "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z",
        }.get(shape.type_name)
        if pattern and not re.fullmatch(pattern, text):
            return self.fault(where, f"is {text!r}, the model says {shape.type_name}")
        if shape.type_name in ("integer", "long"):
            return self._value(int(text), shape, where)
        return self._value(text, shape, where) if shape.type_name == "string" else None

    # Both

    def _value(self, value, shape, where):
        if shape.type_name == "string":
            # EC2 writes the states of endpoints small (`available`, as in the CLI's examples), which the model has with a capital.
            known = [word[:1].lower() + word[1:] for word in shape.enum] if shape.name == "State" else shape.enum
            if shape.enum and value not in known:
                return self.fault(where, f"is {value!r}, not one of {', '.join(shape.enum)}")
            self._bounds(len(value), shape, where, "characters")
            pattern = shape.metadata.get("pattern")
            if pattern and compiles(pattern) and not re.search(pattern, value):
                self.fault(where, f"is {value!r}, which {pattern} does not match")
        elif shape.type_name in ("integer", "long", "double", "float"):
            self._bounds(value, shape, where, "")
        return None

    def _bounds(self, size, shape, where, unit):
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        # A list's least is the request's: the same shape comes back empty.
        if low is not None and size < low and unit != "items":
            self.fault(where, f"is {size} {unit}, the model's least is {low}")
        if high is not None and size > high:
            self.fault(where, f"is {size} {unit}, the model's most is {high}")


def compiles(pattern):
    """Some patterns of the models are Java's and not Python's."""
    try:
        re.compile(pattern)
        return True
    except re.error:
        return False


class Time(float):
    """Seconds since the epoch under CBOR's tag 1."""


def read_cbor(data, at):
    """One item of definite length and where it ends; what the embedded AWS never writes is an error."""
    kind, info = data[at] >> 5, data[at] & 31
    at += 1
    if kind == 7:
        if info in (20, 21, 22):
            return {20: False, 21: True, 22: None}[info], at
        size, form = {25: (2, ">e"), 26: (4, ">f"), 27: (8, ">d")}[info]
        return struct.unpack(form, data[at : at + size])[0], at + size
    if info > 23:
        size = {24: 1, 25: 2, 26: 4, 27: 8}[info]
        info, at = int.from_bytes(data[at : at + size], "big"), at + size
    if kind == 0:
        return info, at
    if kind == 1:
        return -1 - info, at
    if kind == 3:
        return data[at : at + info].decode(), at + info
    if kind == 4:
        items = []
        for _ in range(info):
            item, at = read_cbor(data, at)
            items.append(item)
        return items, at
    if kind == 5:
        members = {}
        for _ in range(info):
            key, at = read_cbor(data, at)
            members[key], at = read_cbor(data, at)
        return members, at
    if kind == 6 and info == 1:
        value, at = read_cbor(data, at)
        return Time(value), at
    raise ValueError(f"major type {kind} is not expected here")


def local_name(element):
    return element.tag.rsplit("}", 1)[-1]


def compare_reply(operation, headers, body):
    """A successful reply's bytes against the operation's output shape."""
    comparison = Comparison()
    name, shape = operation.name, operation.output_shape
    protocol = operation.service_model.resolved_protocol
    if protocol == "json":
        version = operation.service_model.metadata.get("jsonVersion", "1.0")
        if headers.get("content-type", "") != f"application/x-amz-json-{version}":
            comparison.fault(name, f"content type {headers.get('content-type')!r}")
        value = json.loads(body) if body else {}
        if shape is not None:
            comparison.json(value, shape, name)
    elif protocol == "smithy-rpc-v2-cbor":
        for header, wanted in (("content-type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")):
            if headers.get(header) != wanted:
                comparison.fault(name, f"{header} {headers.get(header)!r}")
        comparison.tagged = True
        value, end = read_cbor(body, 0) if body else ({}, 0)
        if end != len(body):
            comparison.fault(name, f"{len(body) - end} bytes after the reply")
        if shape is not None:
            comparison.json(value, shape, name)
    elif protocol == "query":
        if not headers.get("content-type", "").startswith("text/xml"):
            comparison.fault(name, f"content type {headers.get('content-type')!r}")
        compare_query(comparison, operation, ET.fromstring(body))
    elif protocol == "ec2":
        if not headers.get("content-type", "").startswith("text/xml"):
            comparison.fault(name, f"content type {headers.get('content-type')!r}")
        compare_ec2(comparison, operation, ET.fromstring(body))
    else:
        comparison.fault(name, f"protocol {protocol} is not expected here")
    return comparison


def compare_ec2(comparison, operation, root):
    """<OpResponse><requestId>…</requestId>, and the result beside it"""
    name = operation.name
    # botocore has the namespace without the slash that the wire has.
    version = operation.service_model.metadata["apiVersion"]
    if root.tag != f"{{http://ec2.amazonaws.com/doc/{version}/}}{name}Response":
        comparison.fault(name, f"root element is {root.tag}")
    request = [part for part in root if local_name(part) == "requestId"]
    if len(request) != 1:
        comparison.fault(name, "no requestId")
    for part in request:
        root.remove(part)
    comparison.xml(root, operation.output_shape, name)


def compare_query(comparison, operation, root):
    """<OpResponse><OpResult>…</OpResult><ResponseMetadata><RequestId>"""
    name = operation.name
    namespace = operation.service_model.metadata["xmlNamespace"]
    if root.tag != f"{{{namespace}}}{name}Response":
        comparison.fault(name, f"root element is {root.tag}")
    parts = {local_name(part): part for part in root}
    metadata = parts.pop("ResponseMetadata", None)
    if metadata is None or metadata.find(f"{{{namespace}}}RequestId") is None:
        comparison.fault(name, "no ResponseMetadata/RequestId")
    result = parts.pop(f"{name}Result", None)
    if parts:
        comparison.fault(name, f"unexpected elements {sorted(parts)}")
    if result is None:
        comparison.fault(name, f"no {name}Result")
    else:
        comparison.xml(result, operation.output_shape, name)
