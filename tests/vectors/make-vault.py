#!/usr/bin/env python3
"""Writes vault.json: vaults made by Python's own hashlib and cryptography. Run: python3 make-vault.py"""
import hashlib
import json
import pathlib
import unicodedata

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

WORDS = "legal winner thank year wave sausage worth useful legal winner thank yellow"


def vault(name, secret, password, iterations, salt, iv):
    header = {
        "version": 1,
        "kdf": {"name": "PBKDF2-SHA-256", "iterations": iterations, "salt": salt.hex()},
        "cipher": {"name": "AES-256-GCM", "iv": iv.hex()},
    }
    spelling = unicodedata.normalize("NFKC", password).encode()
    key = hashlib.pbkdf2_hmac("sha256", spelling, salt, iterations)
    canonical = json.dumps(header, separators=(",", ":")).encode()
    sealed = AESGCM(key).encrypt(iv, secret.encode(), canonical)
    return {"name": name, "secret": secret, "password": password, "vault": {**header, "ciphertext": sealed.hex()}}


vectors = [
    vault("words", WORDS, "correct horse", 900_000, bytes(range(16)), bytes(range(12))),
    vault("fewest iterations", WORDS, "correct horse", 100_000, bytes(range(16, 32)), bytes(range(12, 24))),
    # Full-width digits and e + combining acute: NFKC makes them 1234 and é.
    vault("normalised password", "été", "\uff11\uff12\uff13\uff14 e\u0301te\u0301", 100_000, bytes(16), bytes(12)),
    vault("empty secret", "", "correct horse", 100_000, b"\xff" * 16, b"\xff" * 12),
]
path = pathlib.Path(__file__).with_name("vault.json")
path.write_text(json.dumps(vectors, indent=1) + "\n")
