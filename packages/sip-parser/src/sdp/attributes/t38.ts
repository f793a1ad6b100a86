/** Fax over UDPTL: the T38… attributes (ITU-T T.38 Annex D; RFC 3362). Peers differ in the case of the names. */
import type { Result } from '../../errors'
import { sdpProblem } from '../errors'
import type { Attribute } from '../session'
import type { HasAttributes } from './attribute'
import { type AttributeCodec, valueCodec } from './codec'

/** What a T.38 medium says; what is absent has the default of T.38. */
export interface T38Parameters {
  readonly version?: number
  /** Bits a second. */
  readonly maxBitRate?: number
  readonly fillBitRemoval?: boolean
  readonly transcodingMmr?: boolean
  readonly transcodingJbig?: boolean
  readonly rateManagement?: 'localTCF' | 'transferredTCF'
  /** Bytes. */
  readonly maxBuffer?: number
  /** Bytes. */
  readonly maxDatagram?: number
  /** Bytes. */
  readonly maxIfp?: number
  readonly errorCorrection?: 't38UDPRedundancy' | 't38UDPFEC' | 't38UDPNoEC'
  readonly vendorInfo?: string
}

type Key = keyof T38Parameters

/** Codecs of the T.38 attributes by the field that they fill. */
export const t38Codecs: { readonly [K in Key]-?: AttributeCodec<Exclude<T38Parameters[K], undefined>> } = {
  version: numberCodec('T38FaxVersion'),
  maxBitRate: numberCodec('T38MaxBitRate'),
  fillBitRemoval: switchCodec('T38FaxFillBitRemoval'),
  transcodingMmr: switchCodec('T38FaxTranscodingMMR'),
  transcodingJbig: switchCodec('T38FaxTranscodingJBIG'),
  rateManagement: choiceCodec('T38FaxRateManagement', ['localTCF', 'transferredTCF']),
  maxBuffer: numberCodec('T38FaxMaxBuffer'),
  maxDatagram: numberCodec('T38FaxMaxDatagram'),
  maxIfp: numberCodec('T38FaxMaxIFP'),
  errorCorrection: choiceCodec('T38FaxUdpEC', ['t38UDPRedundancy', 't38UDPFEC', 't38UDPNoEC']),
  vendorInfo: valueCodec(
    'T38VendorInfo',
    'SDP_T38_INVALID',
    (reader) => (reader.isAtEnd ? reader.fail() : reader.rest()),
    (value) => value,
  ),
}

const byName: ReadonlyMap<string, Key> = new Map(
  (Object.keys(t38Codecs) as Key[]).map((key) => [t38Codecs[key].name.toLowerCase(), key]),
)

/** The codec of a T.38 attribute by its name in any case, or undefined. */
export function t38Codec(name: string): AttributeCodec<unknown> | undefined {
  const key = byName.get(name.toLowerCase())
  return key === undefined ? undefined : (t38Codecs[key] as AttributeCodec<unknown>)
}

/** Reads all T.38 attributes of a medium; the first of a repeated name holds. A malformed one is the problem. */
export function t38Of(media: HasAttributes): Result<T38Parameters> {
  const found: Record<string, unknown> = {}
  for (const { name, value } of media.attributes) {
    const key = byName.get(name.toLowerCase())
    if (key === undefined || key in found) continue
    const decoded: Result<unknown> = t38Codecs[key].decode(value)
    if (!decoded.ok) return decoded
    found[key] = decoded.value
  }
  return { ok: true, value: found as T38Parameters }
}

/** The attributes that say these parameters, in a fixed order. Throws SipUsageError VALUE_INVALID like every `encode`. */
export function t38Attributes(parameters: T38Parameters): readonly Attribute[] {
  const attributes: Attribute[] = []
  for (const key of Object.keys(t38Codecs) as Key[]) {
    const value = parameters[key]
    if (value !== undefined) attributes.push((t38Codecs[key] as AttributeCodec<unknown>).encode(value))
  }
  return attributes
}

function numberCodec(name: string): AttributeCodec<number> {
  return valueCodec(
    name,
    'SDP_T38_INVALID',
    (reader) => {
      reader.optional(/ +/y)
      return reader.number(0, 4_294_967_295)
    },
    String,
  )
}

function choiceCodec<T extends string>(name: string, choices: readonly T[]): AttributeCodec<T> {
  return valueCodec(
    name,
    'SDP_T38_INVALID',
    (reader) => {
      reader.optional(/ +/y)
      const start = reader.at
      const written = reader.token().toLowerCase()
      return choices.find((choice) => choice.toLowerCase() === written) ?? reader.fail(start)
    },
    (value) => value,
  )
}

/** T.38 (2002) says these by being there; before and since, many write `:0` and `:1`. */
function switchCodec(name: string): AttributeCodec<boolean> {
  return {
    name,
    decode(value) {
      const text = value?.trim()
      if (text === undefined || text === '1') return { ok: true, value: true }
      return text === '0' ? { ok: true, value: false } : { ok: false, error: sdpProblem('SDP_T38_INVALID', 0) }
    },
    encode: (value) => (value ? { name } : { name, value: '0' }),
  }
}
