/** Which codecs two sides have in common (RFC 3264 §6.1; RFC 6184 §8.2.2, RFC 4867 §8.3, RFC 4733 §2.4 for parameters). */
import { fmtpParameters } from '../attributes/fmtp'
import { type Codec, codecsOf } from '../attributes/rtpmap'
import type { MediaDescription } from '../session'
import type { CodecCapability } from './capability'

/** A codec of the offer that this side can do as well. */
export interface CodecMatch {
  readonly offered: Codec
  readonly capability: CodecCapability
  /** The parameters to answer with; absent for none. */
  readonly fmtp?: string
}

/** Parameters that tell one codec from another of the same name, with the value that holds when they are absent. */
const DISTINGUISHING: ReadonlyMap<string, readonly (readonly [name: string, absent: string])[]> = new Map([
  ['h264', [['packetization-mode', '0']]],
  ['vp9', [['profile-id', '0']]],
  [
    'amr',
    [
      ['octet-align', '0'],
      ['crc', '0'],
      ['robust-sorting', '0'],
    ],
  ],
  [
    'amr-wb',
    [
      ['octet-align', '0'],
      ['crc', '0'],
      ['robust-sorting', '0'],
    ],
  ],
  ['g7221', [['bitrate', '']]],
  ['rtx', [['apt', '']]],
])

/** Payload formats that carry no voice or picture of their own. */
const AUXILIARY = new Set(['telephone-event', 'cn', 'red', 'rtx', 'ulpfec', 'flexfec-03'])

/** True for a codec that is of no use without another: tones, comfort noise, repetition. */
export function isAuxiliary(codec: { readonly name: string }): boolean {
  return AUXILIARY.has(codec.name.toLowerCase())
}

/** True when a codec and a capability are the same codec, with parameters that allow both sides to be one another's peer. */
export function isSameCodec(codec: Codec, capability: CodecCapability): boolean {
  const name = codec.name.toLowerCase()
  if (name !== capability.name.toLowerCase() || codec.clockRate !== capability.clockRate) return false
  if (codec.channels !== (capability.channels ?? 1)) return false
  const theirs = fmtpParameters(codec.fmtp ?? '')
  const ours = fmtpParameters(capability.fmtp ?? '')
  if (name === 'h264' && h264Profile(theirs) !== h264Profile(ours)) return false
  const distinguishing = DISTINGUISHING.get(name) ?? []
  return distinguishing.every(([key, absent]) => (theirs.get(key) ?? absent) === (ours.get(key) ?? absent))
}

/**
 * The codecs in common, in the order of the offer (RFC 3264 §6.1), or of this side's preference. Empty when only
 * {@link isAuxiliary auxiliary} ones are in common. Each payload type and each capability counts once.
 */
export function matchCodecs(
  offered: MediaDescription,
  capabilities: readonly CodecCapability[],
  order: 'offer' | 'local' = 'offer',
): readonly CodecMatch[] {
  const matches: CodecMatch[] = []
  const used = new Set<CodecCapability>()
  const seen = new Set<number>()
  for (const codec of codecsOf(offered)) {
    if (seen.has(codec.payloadType)) continue
    seen.add(codec.payloadType)
    const capability = capabilities.find((candidate) => !used.has(candidate) && isSameCodec(codec, candidate))
    if (capability === undefined) continue
    const fmtp = answerFmtp(codec, capability)
    if (fmtp === null) continue
    used.add(capability)
    matches.push({ offered: codec, capability, ...(fmtp === undefined ? {} : { fmtp }) })
  }
  if (matches.every(({ offered: codec }) => isAuxiliary(codec))) return []
  if (order === 'offer') return matches
  return matches.sort((one, other) => capabilities.indexOf(one.capability) - capabilities.indexOf(other.capability))
}

/** Undefined for none; null when nothing is left in common. */
function answerFmtp(codec: Codec, capability: CodecCapability): string | undefined | null {
  const name = codec.name.toLowerCase()
  if (name === 'telephone-event') return commonEvents(codec.fmtp ?? '0-15', capability.fmtp ?? '0-15')
  // RFC 4856 §2.1.9: silence suppression is used only when neither side says no.
  if (name === 'g729' && fmtpParameters(codec.fmtp ?? '').get('annexb') === 'no') return 'annexb=no'
  return capability.fmtp
}

function commonEvents(theirs: string, ours: string): string | null {
  const mine = eventsOf(ours)
  const common = [...eventsOf(theirs)].filter((event) => mine.has(event)).sort((one, other) => one - other)
  const ranges: string[] = []
  for (let at = 0; at < common.length; at++) {
    const first = common[at]!
    while (common[at + 1] === common[at]! + 1) at++
    ranges.push(first === common[at] ? `${first}` : `${first}-${common[at]}`)
  }
  return ranges.length === 0 ? null : ranges.join(',')
}

/** RFC 4733 §2.4.1: single events and ranges, 0 to 255. */
function eventsOf(text: string): Set<number> {
  const events = new Set<number>()
  for (const piece of text.split(',')) {
    const [, first, last] = /^ *(\d{1,3})(?:-(\d{1,3}))? *$/.exec(piece) ?? []
    if (first === undefined) continue
    for (let event = Number(first); event <= Math.min(Number(last ?? first), 255); event++) events.add(event)
  }
  return events
}

/** RFC 6184 §8.1: profile and constraints, without the level, which may differ. */
function h264Profile(parameters: ReadonlyMap<string, string | null>): string {
  return (parameters.get('profile-level-id') ?? '42000A').slice(0, 4).toLowerCase()
}
