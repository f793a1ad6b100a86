/** Parameters of a format: fmtp (RFC 8866 §6.15). */
import { type AttributeCodec, valueCodec } from './codec'

/** A format's parameters, as text: what they mean is the format's affair. */
export interface Fmtp {
  /** A payload type, or another format of the medium. */
  readonly format: string
  readonly parameters: string
}

/** Codec of `a=fmtp`. */
export const fmtpCodec: AttributeCodec<Fmtp> = valueCodec(
  'fmtp',
  'SDP_FMTP_INVALID',
  (reader) => {
    const format = reader.token()
    reader.space()
    const parameters = reader.rest().trimEnd()
    return parameters === '' ? reader.fail() : { format, parameters }
  },
  ({ format, parameters }) => `${format} ${parameters}`,
)

/**
 * Parameters in the form of most media types, `name=value;name`: names in lower case, null for one without a value. The
 * first of a repeated name holds.
 */
export function fmtpParameters(text: string): ReadonlyMap<string, string | null> {
  const parameters = new Map<string, string | null>()
  for (const piece of text.split(';')) {
    const equals = piece.indexOf('=')
    const name = (equals < 0 ? piece : piece.slice(0, equals)).trim().toLowerCase()
    if (name !== '' && !parameters.has(name)) parameters.set(name, equals < 0 ? null : piece.slice(equals + 1).trim())
  }
  return parameters
}

/** The reverse of {@link fmtpParameters}. */
export function formatFmtpParameters(parameters: ReadonlyMap<string, string | null>): string {
  return [...parameters].map(([name, value]) => (value === null ? name : `${name}=${value}`)).join(';')
}
