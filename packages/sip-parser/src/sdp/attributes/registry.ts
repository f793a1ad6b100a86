/** All attributes with a codec, by name (RFC 8866 §6 and the RFCs of each family). A new attribute is a new row. */
import type { Result } from '../../errors'
import type { Attribute } from '../session'
import type { HasAttributes } from './attribute'
import { candidateCodec, remoteCandidatesCodec } from './candidate'
import type { AttributeCodec } from './codec'
import { cryptoCodec } from './crypto'
import { directionCodecs } from './direction'
import { extmapAllowMixedCodec, extmapCodec } from './extmap'
import { connectionCodec, fingerprintCodec, setupCodec, tlsIdCodec } from './fingerprint'
import { fmtpCodec } from './fmtp'
import { bundleOnlyCodec, groupCodec, midCodec } from './group'
import {
  endOfCandidatesCodec,
  iceLiteCodec,
  iceMismatchCodec,
  iceOptionsCodec,
  icePacingCodec,
  icePwdCodec,
  iceUfragCodec,
} from './ice'
import { msidCodec } from './msid'
import { maxptimeCodec, ptimeCodec } from './packet-time'
import { rtcpCodec, rtcpMuxCodec, rtcpMuxOnlyCodec, rtcpRsizeCodec } from './rtcp'
import { rtcpFbCodec } from './rtcp-feedback'
import { rtpmapCodec } from './rtpmap'
import { ssrcCodec, ssrcGroupCodec } from './ssrc'
import { t38Codec } from './t38'

/** Codecs by attribute name; those of T.38 are in `t38Codecs`. */
export const attributeCodecs = {
  rtpmap: rtpmapCodec,
  fmtp: fmtpCodec,
  ptime: ptimeCodec,
  maxptime: maxptimeCodec,
  ...directionCodecs,
  crypto: cryptoCodec,
  rtcp: rtcpCodec,
  'rtcp-mux': rtcpMuxCodec,
  'rtcp-mux-only': rtcpMuxOnlyCodec,
  'rtcp-rsize': rtcpRsizeCodec,
  'rtcp-fb': rtcpFbCodec,
  candidate: candidateCodec,
  'remote-candidates': remoteCandidatesCodec,
  'end-of-candidates': endOfCandidatesCodec,
  'ice-ufrag': iceUfragCodec,
  'ice-pwd': icePwdCodec,
  'ice-options': iceOptionsCodec,
  'ice-pacing': icePacingCodec,
  'ice-lite': iceLiteCodec,
  'ice-mismatch': iceMismatchCodec,
  fingerprint: fingerprintCodec,
  setup: setupCodec,
  connection: connectionCodec,
  'tls-id': tlsIdCodec,
  mid: midCodec,
  group: groupCodec,
  'bundle-only': bundleOnlyCodec,
  ssrc: ssrcCodec,
  'ssrc-group': ssrcGroupCodec,
  msid: msidCodec,
  extmap: extmapCodec,
  'extmap-allow-mixed': extmapAllowMixedCodec,
} as const

/** A name of {@link attributeCodecs}. */
export type KnownAttribute = keyof typeof attributeCodecs

/** What the codec of an attribute reads. */
export type AttributeValue<N extends KnownAttribute> =
  (typeof attributeCodecs)[N] extends AttributeCodec<infer T> ? T : never

/** Reads the first attribute of a name: undefined when there is none, a problem when it is malformed. */
export function readAttributeOf<N extends KnownAttribute>(
  section: HasAttributes,
  name: N,
): Result<AttributeValue<N>> | undefined {
  const attribute = section.attributes.find((candidate) => candidate.name === name)
  return attribute && codecOf(name).decode(attribute.value)
}

/** Reads all well-formed attributes of a name, in order; malformed ones are left out, as RFC 8866 §5.13 has it. */
export function readAttributesOf<N extends KnownAttribute>(
  section: HasAttributes,
  name: N,
): readonly AttributeValue<N>[] {
  const values: AttributeValue<N>[] = []
  for (const attribute of section.attributes) {
    if (attribute.name !== name) continue
    const decoded = codecOf(name).decode(attribute.value)
    if (decoded.ok) values.push(decoded.value)
  }
  return values
}

/** Makes an attribute from its decoded value. Throws SipUsageError VALUE_INVALID for what could not be read back. */
export function makeAttribute<N extends KnownAttribute>(name: N, value: AttributeValue<N>): Attribute {
  return codecOf(name).encode(value)
}

/** Reads any attribute: undefined when there is no codec for its name. */
export function decodeAttribute({ name, value }: Attribute): Result<unknown> | undefined {
  const codec = Object.hasOwn(attributeCodecs, name) ? codecOf(name as KnownAttribute) : t38Codec(name)
  return (codec as AttributeCodec<unknown> | undefined)?.decode(value)
}

function codecOf<N extends KnownAttribute>(name: N): AttributeCodec<AttributeValue<N>> {
  return attributeCodecs[name] as unknown as AttributeCodec<AttributeValue<N>>
}
