/**
 * Tones as a telephone hears them: sine waves, G.711 µ-law (ITU-T G.711), and Goertzel's way of finding one frequency
 * in a signal. Pure.
 */

/** Samples a second of G.711. */
export const SAMPLE_RATE_HZ = 8_000

/** Samples in a packet of 20 ms. */
export const SAMPLES_PER_PACKET = 160

const BIAS = 132
const CLIP = 32_635

/** Encodes one 16-bit sample as µ-law. */
export function encodeMuLaw(sample: number): number {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(Math.trunc(sample)), CLIP) + BIAS
  const exponent = 31 - Math.clz32(magnitude) - 7
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~(sign | (exponent << 4) | mantissa) & 0xff
}

/** Decodes one µ-law byte to a 16-bit sample. */
export function decodeMuLaw(byte: number): number {
  const inverted = ~byte & 0xff
  const exponent = (inverted >> 4) & 0x07
  const magnitude = (((inverted & 0x0f) << 3) + BIAS) << exponent
  return inverted & 0x80 ? BIAS - magnitude : magnitude - BIAS
}

/** One packet's worth of a sine wave in µ-law, which goes on where the packet before ended. */
export function toneFrame(frequencyHz: number, packetIndex: number): Uint8Array {
  const first = packetIndex * SAMPLES_PER_PACKET
  return Uint8Array.from({ length: SAMPLES_PER_PACKET }, (_, index) =>
    encodeMuLaw(8_000 * Math.sin((2 * Math.PI * frequencyHz * (first + index)) / SAMPLE_RATE_HZ)),
  )
}

/**
 * How much of a signal is one frequency: 0 for nothing of it, 1 for nothing else.
 * @param payloads - µ-law bytes, in order
 */
export function toneShare(payloads: readonly Uint8Array[], frequencyHz: number): number {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequencyHz) / SAMPLE_RATE_HZ)
  let previous = 0
  let beforeThat = 0
  let energy = 0
  let count = 0
  for (const payload of payloads) {
    for (const byte of payload) {
      const sample = decodeMuLaw(byte)
      const next = sample + coefficient * previous - beforeThat
      beforeThat = previous
      previous = next
      energy += sample * sample
      count++
    }
  }
  if (energy === 0) return 0
  const power = previous * previous + beforeThat * beforeThat - coefficient * previous * beforeThat
  return (2 * power) / (count * energy)
}
