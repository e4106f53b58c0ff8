"""Makes test/vectors/session-token.json: a second opinion on tokens and keys, in the standard library of Python only.

    python3 test/vectors/make-session-token.py > test/vectors/session-token.json

Nothing in it is random, so the output is always the same; a test compares it with the committed file.
"""

import base64
import hashlib
import hmac
import json
import sys
import uuid

MAX_SECRET_BYTES = 256
PLAN_IDS = [0, 1, 255, 256, 4660, 65535]
ISSUED_AT_MS = [0, 1, 1700000000123, (1 << 48) - 1]


def sign(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def fixed_bytes(count: int, seed: str) -> bytes:
    """Bytes without a pattern that are the same on every run."""
    out = b""
    while len(out) < count:
        out += hashlib.sha256(f"{seed} {len(out)}".encode()).digest()
    return out[:count]


def uuid7(at_ms: int, seed: str) -> uuid.UUID:
    raw = bytearray(at_ms.to_bytes(6, "big") + fixed_bytes(10, seed))
    raw[6] = raw[6] & 0x0F | 0x70
    raw[8] = raw[8] & 0x3F | 0x80
    return uuid.UUID(bytes=bytes(raw))


def make_token(secret: bytes, session_id: uuid.UUID, plan_id: int, version: int = 1) -> bytes:
    key_id = sign(secret, b"sluice/key-id/v1")[:1]
    signed = bytes([version]) + key_id + session_id.bytes + plan_id.to_bytes(2, "big")
    return signed + sign(sign(secret, b"sluice/token-key/v1"), signed)[:16]


def secret_row(name: str, secret: bytes) -> dict:
    return {
        "name": name,
        "secretHex": secret.hex(),
        "keyId": sign(secret, b"sluice/key-id/v1")[0],
        "tokenKeyHex": sign(secret, b"sluice/token-key/v1").hex(),
        "edgeCredential": base64url(sign(secret, b"sluice/edge/v1")),
        # Decimal, in quotes: 64 bits do not fit a JSON number.
        "setHashSeed": str(int.from_bytes(sign(secret, b"sluice/mixer/v1")[:8], "little")),
    }


def valid_rows(secrets: dict) -> list:
    rows = []
    for name, secret in secrets.items():
        for plan_id in PLAN_IDS:
            for at_ms in ISSUED_AT_MS:
                session_id = uuid7(at_ms, f"session {name} {plan_id}")
                rows.append(
                    {
                        "secret": name,
                        "token": base64url(make_token(secret, session_id, plan_id)),
                        "sessionId": str(session_id),
                        "planId": plan_id,
                        "issuedAtMs": str(at_ms),
                    }
                )
    return rows


def bit_flip_rows(token: bytes) -> list:
    rows = []
    for bit in range(len(token) * 8):
        flipped = bytearray(token)
        flipped[bit // 8] ^= 0x80 >> (bit % 8)
        rows.append({"bit": bit, "token": base64url(bytes(flipped))})
    return rows


def malformed_rows(secret: bytes, token: bytes) -> list:
    text = base64url(token)
    session_id = uuid.UUID(bytes=token[2:18])
    # 0xfb 0xff in the session id gives both characters in which the two alphabets differ.
    both = base64url(make_token(secret, uuid.UUID(bytes=b"\xfb\xff" * 8), 1))
    assert "-" in both and "_" in both
    rows = [
        ("empty", ""),
        ("one character", text[:1]),
        ("one group short", text[:-4]),
        ("one character short", text[:-1]),
        ("one character long", text + "A"),
        ("one group long", text + "AAAA"),
        ("twice", text + text),
        ("20 KB long", text * 427),
        ("padded beyond its length", text + "="),
        ("padded within its length", text[:-1] + "="),
        ("padded twice within its length", text[:-2] + "=="),
        ("the standard alphabet's +", both.replace("-", "+")),
        ("the standard alphabet's /", both.replace("_", "/")),
        ("the standard alphabet's + and /", both.replace("-", "+").replace("_", "/")),
        ("a space before it", " " + text),
        ("a space for its first character", " " + text[1:]),
        ("a line feed for its last character", text[:-1] + "\n"),
        ("a NUL in it", text[:20] + "\0" + text[21:]),
        ("a dot in it", text[:20] + "." + text[21:]),
        ("a non-ASCII letter in it", text[:20] + "\u00e9" + text[21:]),
        ("a non-ASCII letter and 48 bytes", text[:20] + "\u00e9" + text[22:]),
        ("a full-width letter", text[:20] + "\uff21" + text[21:]),
        ("version 0", base64url(make_token(secret, session_id, 1, version=0))),
        ("version 2", base64url(make_token(secret, session_id, 1, version=2))),
        ("version 255", base64url(make_token(secret, session_id, 1, version=255))),
        ("the session id", str(session_id)),
        ("hex", token.hex()),
    ]
    return [{"name": name, "token": text} for name, text in rows]


def secret_text_rows() -> list:
    rows = []

    def readable(name: str, text: str, secret: bytes) -> None:
        outcome = "too short" if len(secret) < 32 else "too long" if len(secret) > MAX_SECRET_BYTES else "ok"
        rows.append({"name": name, "text": text, "outcome": outcome, "secretHex": secret.hex()})

    def malformed(name: str, text: str) -> None:
        rows.append({"name": name, "text": text, "outcome": "malformed", "secretHex": ""})

    secret = fixed_bytes(32, "secret text")
    padded = base64.b64encode(secret).decode()
    both = b"\xfb\xff\xbf" * 11
    readable("hex", secret.hex(), secret)
    readable("hex, upper case", secret.hex().upper(), secret)
    readable("hex, mixed case", secret.hex()[:32] + secret.hex()[32:].upper(), secret)
    readable("base64", padded, secret)
    readable("base64 without padding", padded.rstrip("="), secret)
    readable("base64url", base64.urlsafe_b64encode(both).decode(), both)
    readable("base64 with + and /", base64.b64encode(both).decode(), both)
    for extra in range(3):
        longer = fixed_bytes(33 + extra, "longer")
        readable(f"base64 of {33 + extra} bytes", base64.b64encode(longer).decode(), longer)
        readable(f"base64url of {33 + extra} bytes, no padding", base64url(longer), longer)
    readable("a line feed after it", secret.hex() + "\n", secret)
    readable("whitespace around it", " \t\r\n\v\f" + padded + " \t\r\n\v\f", secret)
    readable("62 hex digits are 31 bytes, not base64", "ab" * 31, b"\xab" * 31)
    readable("66 hex digits", "ab" * 33, b"\xab" * 33)
    readable("hex but for one letter is base64", "ab" * 31 + "ag", base64.b64decode("ab" * 31 + "ag"))
    readable("unused bits set", "G" + "A" * 41 + "B", b"\x18" + b"\0" * 31)
    readable("empty", "", b"")
    readable("only whitespace", " \n", b"")
    readable("31 bytes", base64.b64encode(fixed_bytes(31, "short")).decode(), fixed_bytes(31, "short"))
    readable("a password", "hunter22", base64.b64decode("hunter22"))
    longest = fixed_bytes(MAX_SECRET_BYTES, "longest")
    readable("the longest, hex", longest.hex(), longest)
    readable("the longest, base64", base64.b64encode(longest).decode(), longest)
    readable("too long, hex", longest.hex() + "00", longest + b"\0")
    readable("too long, base64", base64.b64encode(longest + b"\0").decode(), longest + b"\0")
    malformed("one character beyond a group", "G" * 45)
    malformed("one character", "G")
    malformed("67 hex digits", "ab" * 33 + "a")
    malformed("one = too few", "A" * 42 + "=")
    malformed("one = too many", padded + "=")
    malformed("three =", "A" * 41 + "===")
    malformed("only padding", "====")
    malformed("= in the middle", padded[:20] + "=" + padded[21:])
    malformed("a space in the middle", padded[:20] + " " + padded[21:])
    malformed("a line feed in the middle", secret.hex()[:32] + "\n" + secret.hex()[32:])
    malformed("65 characters, hex", secret.hex() + "0")
    malformed("quotes", '"' + secret.hex() + '"')
    malformed("a passphrase", "correct horse battery staple, four words and more")
    malformed("non-ASCII", "\u00e9" * 44)
    malformed("a no-break space before it", "\u00a0" + padded)
    return rows


def hash_rows() -> list:
    """Around every edge of padding: 55 bytes fit one block with their length, 56 need another."""
    rows = []
    for length in [0, 1, 54, 55, 56, 57, 63, 64, 65, 118, 119, 120, 127, 128, 129, 200]:
        message = fixed_bytes(length, "hash")
        key = fixed_bytes(length, "key")
        rows.append(
            {
                "messageHex": message.hex(),
                "keyHex": key.hex(),
                "sha256Hex": hashlib.sha256(message).hexdigest(),
                "hmacHex": sign(key, message).hex(),
            }
        )
    return rows


def main() -> None:
    secrets = {"first": fixed_bytes(32, "first secret"), "second": fixed_bytes(48, "second secret")}
    sample = make_token(secrets["first"], uuid7(1700000000123, "sample"), 1)
    vectors = {
        "madeBy": "test/vectors/make-session-token.py",
        "secrets": [secret_row(name, secret) for name, secret in secrets.items()],
        "valid": valid_rows(secrets),
        "sample": [{"secret": "first", "token": base64url(sample)}],
        "bitFlips": bit_flip_rows(sample),
        "malformed": malformed_rows(secrets["first"], sample),
        "secretTexts": secret_text_rows(),
        "hashes": hash_rows(),
    }
    json.dump(vectors, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
