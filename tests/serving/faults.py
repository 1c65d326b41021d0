"""What of an answer is not as its schema in the OpenAPI document says, for the words of JSON Schema that it uses."""

_TYPES = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def faults_of(value, schema, where="answer"):
    """Return the faults of a value, in words."""
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(_is(value, kind) for kind in kinds):
        return [f"{where} is {value!r:.40}, no {kinds}"]
    found = []
    if isinstance(value, dict):
        found += [f"{where} has no {name}" for name in schema.get("required", ()) if name not in value]
        known = schema.get("properties", {})
        found += [f"{where}.{name} is not described" for name in value if name not in known]
        found += [
            each for name in value if name in known for each in faults_of(value[name], known[name], f"{where}.{name}")
        ]
    elif isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            found.append(f"{where} has {len(value)} parts")
        for i, part in enumerate(value):
            found += faults_of(part, schema.get("items", {}), f"{where}[{i}]")
    elif isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        found.append(f"{where} is {value}")
    return found


def _is(value, kind):
    return isinstance(value, _TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
