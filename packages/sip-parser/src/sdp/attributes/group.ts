/** Names of media and groups of them: mid, group (RFC 5888 §4, §5; RFC 9143 for BUNDLE), and bundle-only. */
import type { SessionDescription } from '../session'
import { getAttribute, getAttributes } from './attribute'
import { type AttributeCodec, flagCodec, valueCodec } from './codec'

/** The value of a group attribute. */
export interface Group {
  /** `BUNDLE`, `LS`, `FID`, … */
  readonly semantics: string
  readonly mids: readonly string[]
}

/** Codec of `a=mid`. */
export const midCodec: AttributeCodec<string> = valueCodec(
  'mid',
  'SDP_MID_INVALID',
  (reader) => reader.token(),
  (mid) => mid,
)

/** Codec of `a=group`. */
export const groupCodec: AttributeCodec<Group> = valueCodec(
  'group',
  'SDP_GROUP_INVALID',
  (reader) => {
    const semantics = reader.token()
    const mids: string[] = []
    while (reader.optional(/ +(?=[^ ])/y) !== undefined) mids.push(reader.token())
    return { semantics, mids }
  },
  ({ semantics, mids }) => [semantics, ...mids].join(' '),
)

/** Codec of `a=bundle-only`. */
export const bundleOnlyCodec: AttributeCodec<true> = flagCodec('bundle-only')

/** The media of each BUNDLE group by their place in the description; names that no medium has are left out. */
export function bundlesOf(sdp: SessionDescription): readonly (readonly number[])[] {
  const places = new Map<string, number>()
  for (const [index, media] of sdp.media.entries()) {
    const mid = getAttribute(media, 'mid')?.value?.trim()
    if (mid !== undefined && !places.has(mid)) places.set(mid, index)
  }
  const bundles: number[][] = []
  for (const { value } of getAttributes(sdp, 'group')) {
    const group = groupCodec.decode(value)
    if (!group.ok || group.value.semantics !== 'BUNDLE') continue
    bundles.push(group.value.mids.map((mid) => places.get(mid)).filter((place) => place !== undefined))
  }
  return bundles
}
