/** Byte mutations by seed, with an eye on what parsers trip over: line ends, separators, digits, repeated pieces. */
import type { SeededGenerator } from './generator'

const favourites = [0, 9, 10, 13, 32, 34, 37, 44, 48, 57, 58, 59, 60, 61, 62, 64, 91, 92, 93, 127, 128, 255]

/** A changed copy: some bytes flipped, replaced, inserted, cut out or repeated. The input is left alone. */
export function mutateBytes(bytes: Uint8Array, generator: SeededGenerator): Uint8Array {
  let changed: Uint8Array = new Uint8Array(bytes)
  for (let round = 1 + generator.below(4); round > 0; round -= 1) changed = mutateOnce(changed, generator)
  return changed
}

function mutateOnce(bytes: Uint8Array, generator: SeededGenerator): Uint8Array {
  const at = generator.below(bytes.length + 1)
  switch (generator.below(6)) {
    case 0:
      return replaced(bytes, at, (byte) => byte ^ (1 << generator.below(8)))
    case 1:
      return replaced(bytes, at, () => generator.pick(favourites))
    case 2:
      return joined(bytes.subarray(0, at), new Uint8Array([generator.pick(favourites)]), bytes.subarray(at))
    case 3:
      return joined(bytes.subarray(0, at), bytes.subarray(Math.min(bytes.length, at + 1 + generator.below(16))))
    case 4: {
      const from = generator.below(bytes.length + 1)
      const piece = bytes.subarray(from, Math.min(bytes.length, from + generator.below(64)))
      return joined(bytes.subarray(0, at), piece, bytes.subarray(at))
    }
    default: {
      const run = new Uint8Array(1 + generator.below(40)).fill(generator.pick(favourites))
      return joined(bytes.subarray(0, at), run, bytes.subarray(at))
    }
  }
}

function replaced(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const copy = new Uint8Array(bytes)
  if (at < copy.length) copy[at] = change(copy[at]!)
  return copy
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    result.set(part, at)
    at += part.length
  }
  return result
}
