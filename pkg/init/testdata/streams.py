"""The golden numbers of TestNewRandGolden, from the definition: SHA-256, then one step of math/rand/v2's PCG-DXSM."""
import hashlib

MASK64, MASK128 = 2**64 - 1, 2**128 - 1
MUL, INC, CHEAP = 2549297995355413924 << 64 | 4865540595714422341, 6364136223846793005 << 64 | 1442695040888963407, 0xDA942042E4DD58B5


def first(seed, stream):
    digest = hashlib.sha256(b"gophersnake/rand/1" + seed.to_bytes(8, "little") + stream.encode()).digest()
    state = int.from_bytes(digest[0:8], "little") << 64 | int.from_bytes(digest[8:16], "little")
    state = (state * MUL + INC) & MASK128
    hi, lo = state >> 64, state & MASK64
    hi ^= hi >> 32
    hi = hi * CHEAP & MASK64
    hi ^= hi >> 48
    return hi * (lo | 1) & MASK64


for seed, stream in [(0, ""), (1, "params"), (MASK64, "data")]:
    print(f"{seed} {stream!r} {first(seed, stream):#x}")
