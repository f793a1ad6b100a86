/** Packets to begin with, and the changes that fit them, for the targets that read RTP. */
import { writeRtp, writeRtpExtensions, writeTelephoneEvents } from '@carillon/rtp-relay'
import { mutateBytes, type SeededGenerator } from '@carillon/sip-parser/testing'

const header = { payloadType: 0, sequence: 0xfffe, timestamp: 0xffff_ff00, ssrc: 0xcafe_babe }
const sound = new Uint8Array(160).fill(0xd5)
const element = (id: number, size: number) => ({ id, data: new Uint8Array(size).fill(id) })

/** Well-formed RTP packets of every shape. */
export const rtpSeeds: readonly Uint8Array[] = [
  writeRtp({ ...header, payload: sound }),
  writeRtp({ ...header, marker: true, csrcs: [1, 0xffff_ffff], payload: sound.subarray(0, 20) }),
  writeRtp({ ...header, payload: sound.subarray(0, 5), paddingBytes: 7 }),
  writeRtp({ ...header, payload: new Uint8Array(0), paddingBytes: 255 }),
  writeRtp({
    ...header,
    extension: writeRtpExtensions([element(1, 1), element(14, 16)]),
    payload: sound.subarray(0, 9),
  }),
  writeRtp({
    ...header,
    csrcs: Array.from({ length: 15 }, (_, index) => index),
    extension: writeRtpExtensions([element(15, 0), element(255, 255)], { appBits: 9 }),
    payload: sound,
    paddingBytes: 4,
  }),
  writeRtp({
    ...header,
    extension: { profile: 0x1234, data: new Uint8Array(8).fill(3) },
    payload: sound.subarray(0, 1),
  }),
  writeRtp({
    ...header,
    payloadType: 101,
    marker: true,
    payload: writeTelephoneEvents([
      { event: 5, isEnd: true, volume: 10, durationUnits: 400 },
      { event: 11, isEnd: false, volume: 63, durationUnits: 0xffff },
    ]),
  }),
  writeRtp({ ...header, payload: new Uint8Array(0) }),
]

/** First bytes at the borders of the ranges of RFC 7983, and with each flag of RTP. */
const firstBytes = [
  0, 3, 4, 15, 16, 19, 20, 63, 64, 79, 80, 127, 128, 0x8f, 0x90, 0x9f, 0xa0, 0xb0, 0xbf, 191, 192, 255,
]
const secondBytes = [0, 13, 72, 101, 127, 128, 191, 192, 200, 207, 223, 224, 229, 255]

/** A changed copy: bytes as for text, or one of the fields that lengths hang on. */
export function mutateRtp(input: Uint8Array, generator: SeededGenerator, donors: readonly Uint8Array[]): Uint8Array {
  const copy = new Uint8Array(input)
  switch (generator.below(7)) {
    case 0:
      put(copy, 0, generator.pick(firstBytes))
      return copy
    case 1:
      put(copy, 1, generator.pick(secondBytes))
      return copy
    case 2:
      put(copy, copy.length - 1, generator.pick([0, 1, 4, copy.length - 12, 255]))
      return copy
    case 3:
      return withExtension(copy, generator)
    case 4:
      return copy.subarray(0, generator.below(copy.length + 1))
    case 5:
      return spliced(copy, generator, generator.pick(donors))
    default:
      return mutateBytes(copy, generator)
  }
}

/** Lies about the extension: its form, its length in words, or a byte of an element. */
function withExtension(copy: Uint8Array, generator: SeededGenerator): Uint8Array {
  put(copy, 0, (copy[0] ?? 0x80) | 0x10)
  const at = 12 + ((copy[0] ?? 0) & 0x0f) * 4
  if (generator.once(2)) {
    const [high, low] = generator.pick([[0xbe, 0xde] as const, [0x10, generator.below(16)] as const, [0, 0] as const])
    put(copy, at, high)
    put(copy, at + 1, low)
  }
  if (generator.once(2)) put(copy, at + 3, generator.pick([0, 1, 2, 63, 255]))
  if (generator.once(2)) put(copy, at + 4 + generator.below(24), generator.pick([0, 1, 0x0f, 0x10, 0xe0, 0xf0, 0xff]))
  return copy
}

function spliced(copy: Uint8Array, generator: SeededGenerator, donor: Uint8Array): Uint8Array {
  const at = generator.below(copy.length + 1)
  return Buffer.concat([copy.subarray(0, at), donor.subarray(generator.below(donor.length + 1))]).subarray(0, 4_096)
}

function put(bytes: Uint8Array, at: number, value: number): void {
  if (at >= 0 && at < bytes.length) bytes[at] = value
}
