/** The compression function of SHA-1 (FIPS 180-4 §6.1.2) as the standard has it: a loop over eighty words. */

const constants = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc | 0, 0xca62c1d6 | 0] as const
const w = new Int32Array(80)

/** Takes the 64 bytes at `at` into the five words of a state. */
export function compressInLoop(state: Int32Array, bytes: Buffer, at: number): void {
  for (let i = 0; i < 16; i++) w[i] = bytes.readInt32BE(at + i * 4)
  for (let i = 16; i < 80; i++) {
    const mixed = (w[i - 3] ?? 0) ^ (w[i - 8] ?? 0) ^ (w[i - 14] ?? 0) ^ (w[i - 16] ?? 0)
    w[i] = (mixed << 1) | (mixed >>> 31)
  }
  let [a, b, c, d, e] = [state[0] ?? 0, state[1] ?? 0, state[2] ?? 0, state[3] ?? 0, state[4] ?? 0]
  for (let i = 0; i < 80; i++) {
    const stage = i < 20 ? 0 : i < 40 ? 1 : i < 60 ? 2 : 3
    const mixed = stage === 0 ? d ^ (b & (c ^ d)) : stage === 2 ? (b & c) | (d & (b | c)) : b ^ c ^ d
    const next = (((a << 5) | (a >>> 27)) + mixed + e + (w[i] ?? 0) + (constants[stage] ?? 0)) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (const [i, word] of [a, b, c, d, e].entries()) state[i] = ((state[i] ?? 0) + word) | 0
}
