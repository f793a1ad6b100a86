/** Credentials and options of ICE: ice-ufrag, ice-pwd, ice-options, ice-lite and their kind (RFC 8839 §5.3 to §5.6; RFC 8840). */
import { type AttributeCodec, flagCodec, valueCodec } from './codec'

/** Codec of `a=ice-ufrag`. */
export const iceUfragCodec: AttributeCodec<string> = credentialCodec('ice-ufrag', /[A-Za-z0-9+/]{4,256}/y)

/** Codec of `a=ice-pwd`. The value is a secret: not for logs. */
export const icePwdCodec: AttributeCodec<string> = credentialCodec('ice-pwd', /[A-Za-z0-9+/]{22,256}/y)

/** Codec of `a=ice-options`: tags such as `trickle` or `ice2`, in order. */
export const iceOptionsCodec: AttributeCodec<readonly string[]> = valueCodec(
  'ice-options',
  'SDP_ICE_INVALID',
  (reader) => {
    const options = [reader.token()]
    while (reader.optional(/ +(?=[^ ])/y) !== undefined) options.push(reader.token())
    return options
  },
  (options) => options.join(' '),
)

/** Codec of `a=ice-pacing`: milliseconds between connectivity checks. */
export const icePacingCodec: AttributeCodec<number> = valueCodec(
  'ice-pacing',
  'SDP_ICE_INVALID',
  (reader) => reader.number(0, 9_999_999_999),
  String,
)

/** Codec of `a=ice-lite`. */
export const iceLiteCodec: AttributeCodec<true> = flagCodec('ice-lite')

/** Codec of `a=ice-mismatch`. */
export const iceMismatchCodec: AttributeCodec<true> = flagCodec('ice-mismatch')

/** Codec of `a=end-of-candidates`. */
export const endOfCandidatesCodec: AttributeCodec<true> = flagCodec('end-of-candidates')

function credentialCodec(name: string, pattern: RegExp): AttributeCodec<string> {
  return valueCodec(
    name,
    'SDP_ICE_INVALID',
    (reader) => reader.match(pattern),
    (value) => value,
  )
}
