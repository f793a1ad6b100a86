/** Header extensions of RTP: extmap, extmap-allow-mixed (RFC 8285 §5, §6, §8). */
import { type AttributeCodec, flagCodec, valueCodec } from './codec'
import type { Direction } from './direction'

/** The value of an extmap attribute. */
export interface Extmap {
  /** 1 to 255, or 4096 to 4351 for one that is not in use yet. */
  readonly id: number
  readonly direction?: Direction
  readonly uri: string
  /** What follows the URI, as text. */
  readonly parameters?: string
}

/** Codec of `a=extmap`. */
export const extmapCodec: AttributeCodec<Extmap> = valueCodec(
  'extmap',
  'SDP_EXTMAP_INVALID',
  (reader) => {
    const id = reader.number(1, 4_351)
    if (id > 255 && id < 4_096) reader.fail(0)
    const direction = reader.optional(/\/(?:sendrecv|sendonly|recvonly|inactive)(?= )/y)?.slice(1)
    reader.space()
    const uri = reader.match(/[A-Za-z][A-Za-z0-9+.-]*:[!-~]+/y)
    const parameters = reader.rest().trim()
    return {
      id,
      ...(direction === undefined ? {} : { direction: direction as Direction }),
      uri,
      ...(parameters === '' ? {} : { parameters }),
    }
  },
  ({ id, direction, uri, parameters }) => {
    const way = direction === undefined ? '' : `/${direction}`
    return `${id}${way} ${uri}${parameters === undefined ? '' : ` ${parameters}`}`
  },
)

/** Codec of `a=extmap-allow-mixed`. */
export const extmapAllowMixedCodec: AttributeCodec<true> = flagCodec('extmap-allow-mixed')
