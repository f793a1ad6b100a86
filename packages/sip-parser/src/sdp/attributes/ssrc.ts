/** Sources of a medium: ssrc, ssrc-group (RFC 5576 §4.1, §4.2). */
import { type AttributeCodec, valueCodec } from './codec'

/** One thing said of one source. */
export interface SourceAttribute {
  /** 0 to 2**32 - 1. */
  readonly ssrc: number
  /** `cname`, `msid`, … */
  readonly name: string
  readonly value?: string
}

/** Sources that belong together. */
export interface SourceGroup {
  /** `FID`, `FEC`, `SIM`, … */
  readonly semantics: string
  readonly ssrcs: readonly number[]
}

/** Codec of `a=ssrc`. */
export const ssrcCodec: AttributeCodec<SourceAttribute> = valueCodec(
  'ssrc',
  'SDP_SSRC_INVALID',
  (reader) => {
    const ssrc = reader.number(0, 4_294_967_295)
    reader.space()
    const name = reader.token()
    if (!reader.take(':')) return { ssrc, name }
    return { ssrc, name, value: reader.rest() }
  },
  ({ ssrc, name, value }) => (value === undefined ? `${ssrc} ${name}` : `${ssrc} ${name}:${value}`),
)

/** Codec of `a=ssrc-group`. */
export const ssrcGroupCodec: AttributeCodec<SourceGroup> = valueCodec(
  'ssrc-group',
  'SDP_SSRC_INVALID',
  (reader) => {
    const semantics = reader.token()
    const ssrcs: number[] = []
    while (reader.optional(/ +(?=[^ ])/y) !== undefined) ssrcs.push(reader.number(0, 4_294_967_295))
    return { semantics, ssrcs }
  },
  ({ semantics, ssrcs }) => [semantics, ...ssrcs].join(' '),
)
