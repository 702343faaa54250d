//! OMEMO's cryptography: identity keys, XEdDSA, X3DH and the Double Ratchet for omemo:2 and legacy.
