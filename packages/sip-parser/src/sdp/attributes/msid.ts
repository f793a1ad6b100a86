/** The media stream that a medium belongs to: msid (RFC 8830 §2). */
import { type AttributeCodec, valueCodec } from './codec'

/** The value of an msid attribute. */
export interface Msid {
  /** The stream; `-` for none. */
  readonly id: string
  /** The track. */
  readonly appData?: string
}

/** Codec of `a=msid`. */
export const msidCodec: AttributeCodec<Msid> = valueCodec(
  'msid',
  'SDP_MSID_INVALID',
  (reader) => {
    const id = reader.match(/[!#-'*+\-.0-9A-Z^-~]{1,64}(?![^ ])/y)
    const hasData = reader.optional(/ +(?=[^ ])/y) !== undefined
    return hasData ? { id, appData: reader.match(/[!#-'*+\-.0-9A-Z^-~]{1,64}/y) } : { id }
  },
  ({ id, appData }) => (appData === undefined ? id : `${id} ${appData}`),
)
