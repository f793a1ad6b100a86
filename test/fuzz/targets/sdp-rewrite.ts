/** Rewriting of descriptions by the relay: whatever comes in, nothing in the result leads past the relay. */
import { rewriteSdp, type SdpRewrite } from '@carillon/rtp-relay'
import { getAttributes, parseSdp, type SessionDescription, serializeSdp } from '@carillon/sip-parser/sdp'
import { mutateSdp } from '@carillon/sip-parser/testing'
import { must, shown } from '../engine/failure.ts'
import type { Probe } from '../engine/probe.ts'
import type { Target } from '../engine/target.ts'
import { sdpSeeds } from './sdp-seeds.ts'

const relay = { IP4: '192.0.2.254', IP6: '2001:db8::fe' } as const
const portMin = 61_000
const mediaMax = 1000
const key = Buffer.alloc(30, 7).toString('base64')
const crypto = { tag: 1, suite: 'AES_CM_128_HMAC_SHA1_80', keys: [{ keySalt: key }], sessionParameters: [] } as const
/** What would lead media past the relay, or hand on keys that are its own business. */
const forbidden = ['candidate', 'remote-candidates', 'ice-ufrag', 'ice-pwd', 'altc', 'source-filter', 'rtcp-mux-only']

/** Makes the target. */
export function sdpRewriteTarget(rewrite: typeof rewriteSdp = rewriteSdp): Target {
  return {
    name: 'sdp-rewrite',
    seeds: sdpSeeds,
    mutate: mutateSdp,
    check: (input, probe) => check(rewrite, input, probe),
  }
}

function check(rewrite: typeof rewriteSdp, input: Uint8Array, probe: Probe): void {
  const parsed = parseSdp(input)
  if (!parsed.ok) return
  const sdp = parsed.value
  const before = serializeSdp(sdp)
  for (const family of ['IP4', 'IP6'] as const) {
    const plan = planFor(sdp, family, input.length)
    const result = probe.time('rewriteSdp', input.length, () => rewrite(sdp, plan))
    must(serializeSdp(sdp) === before, 'the input is left alone', () => shown(before))
    must(result.media.length === sdp.media.length, 'there are as many media as before', () => shown(before))
    const text = serializeSdp(result)
    const again = parseSdp(text)
    if (!again.ok && again.error.code.startsWith('SDP_TOO_')) continue
    must(again.ok, 'the result reads back', () => `${JSON.stringify(again)} ${shown(text)}`)
    probe.reach(`${family} media ${Math.min(sdp.media.length, 5)}`)
    checkAddresses(again.value, plan, text)
  }
}

/** Every third medium is refused, and what the party itself does not want; every second one multiplexed and encrypted. */
function planFor(sdp: SessionDescription, family: 'IP4' | 'IP6', salt: number): SdpRewrite {
  const media = sdp.media.slice(0, mediaMax).map((media, index) => {
    const isRefused = media.port === 0 || (index + salt) % 3 === 0
    const isSecured = (index + salt) % 2 === 0
    const port = isRefused ? 0 : portMin + index * 2
    return {
      port,
      rtcpPort: port + 1,
      rtcpMux: isSecured,
      cryptos: isSecured ? [crypto] : [],
      protocol: isSecured ? 'RTP/SAVP' : 'RTP/AVP',
    }
  })
  return { address: relay[family], family, media }
}

function checkAddresses(result: SessionDescription, plan: SdpRewrite, text: string): void {
  const own = new Set<string>([plan.address, '0.0.0.0', '::'])
  const connections = [result.connection, ...result.media.map(({ connection }) => connection)]
  for (const connection of connections) {
    must(connection === undefined || own.has(connection.address), 'every connection is the relay', () => shown(text))
  }
  must(result.origin.address === plan.address, 'the origin is the relay', () => shown(text))
  for (const [index, media] of result.media.entries()) {
    const wanted = plan.media[index]
    must(media.port === (wanted?.port ?? 0), 'every port is the relay', () => shown(text))
    for (const name of forbidden) {
      must(getAttributes(media, name).length === 0, `no ${name} is left`, () => shown(text))
    }
    for (const { value } of getAttributes(media, 'crypto')) {
      must(value?.includes(key) === true, 'no key of the party is left', () => shown(text))
    }
    for (const { value } of getAttributes(media, 'rtcp')) {
      must(/^61\d{3}$|^6[2-5]\d{3}$/.test(value ?? ''), 'RTCP goes to the relay', () => shown(text))
    }
  }
}
