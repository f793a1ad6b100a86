/** Test vectors of SRTP (RFC 3711 appendix B, RFC 6188 §7, RFC 7714 §16 and §17, and whole packets), from the conformance folder. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { rtcpNonceWords, rtpNonceWords, seal, unseal } from '../../packages/rtp-relay/src/srtp/galois'
import { deriveKey, keyLabels } from '../../packages/rtp-relay/src/srtp/key-derivation'
import { CounterMode } from '../../packages/rtp-relay/src/srtp/key-stream'
import { SrtpReceiver } from '../../packages/rtp-relay/src/srtp/receiver'
import { SrtpSender } from '../../packages/rtp-relay/src/srtp/sender'
import { galoisKeys } from '../../packages/rtp-relay/src/srtp/session-keys'
import { type SrtpSuiteName, srtpOverheadMax, srtpSuites } from '../../packages/rtp-relay/src/srtp/suites'
import { folder as conformance, isRequired } from './matrix/expectations'

interface Vectors {
  readonly keystream: readonly {
    rfc: string
    key: string
    salt: string
    ssrc: number
    index: number
    keystream: string
  }[]
  readonly kdf: readonly {
    rfc: string
    masterKey: string
    masterSalt: string
    srtp: { encKey: string; salt: string; authKey20: string }
    srtcp?: { encKey: string; salt: string; authKey20: string }
  }[]
  readonly aead: readonly {
    rfc: string
    alg: SrtpSuiteName
    kind: 'rtp' | 'rtcp'
    sessionKey: string
    sessionSalt: string
    roc?: number
    srtcpIndex?: number
    encrypted?: boolean
    plain: string
    protected: string
  }[]
  readonly full: readonly {
    alg: SrtpSuiteName
    masterKey: string
    masterSalt: string
    rtp: string
    srtp: string
    rtcp: string | null
    srtcp: string | null
  }[]
}

const file = join(conformance, 'srtp', 'vectors.json')
const isPresent = existsSync(file)
const empty: Vectors = { keystream: [], kdf: [], aead: [], full: [] }
const vectors = isPresent ? (JSON.parse(readFileSync(file, 'utf8')) as Vectors) : empty
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex')
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex')

describe.runIf(!isPresent)('SRTP', () => {
  it('has its vectors at hand', (context) => {
    if (isRequired) throw new Error(`no ${file}; set CARILLON_CONFORMANCE_DIR`)
    context.skip()
  })
})

describe.runIf(isPresent)('SRTP: the vectors', () => {
  it('are those that are known here; header encryption (RFC 9335, cryptex) is not implemented', () => {
    expect(Object.keys(vectors).sort()).toEqual(['aead', 'cryptex', 'full', 'kdf', 'keystream'])
    expect(vectors.aead).toHaveLength(6)
    expect(vectors.full).toHaveLength(2)
  })

  it.each(vectors.keystream)('key stream of RFC $rfc', ({ key, salt, ssrc, index, keystream }) => {
    const blocks = Math.ceil(keystream.length / 32)
    const made = new CounterMode(bytes(key), bytes(salt)).make(ssrc, index, blocks, 1)
    expect(hex(made).slice(0, keystream.length)).toBe(keystream.toLowerCase())
  })

  it.each(vectors.kdf)('key derivation of RFC $rfc', ({ masterKey, masterSalt, srtp, srtcp }) => {
    const [key, salt] = [bytes(masterKey), bytes(masterSalt)]
    const derived = (label: number, length: number): string => hex(deriveKey(key, salt, label, 0, length))
    expect(derived(keyLabels.RTP_ENCRYPTION, key.length)).toBe(srtp.encKey.toLowerCase())
    expect(derived(keyLabels.RTP_SALT, 14)).toBe(srtp.salt.toLowerCase())
    expect(derived(keyLabels.RTP_AUTHENTICATION, 20)).toBe(srtp.authKey20.toLowerCase())
    if (srtcp === undefined) return
    expect(derived(keyLabels.RTCP_ENCRYPTION, key.length)).toBe(srtcp.encKey.toLowerCase())
    expect(derived(keyLabels.RTCP_SALT, 14)).toBe(srtcp.salt.toLowerCase())
    expect(derived(keyLabels.RTCP_AUTHENTICATION, 20)).toBe(srtcp.authKey20.toLowerCase())
  })

  it.each(vectors.full)('whole packets of $alg', ({ alg, masterKey, masterSalt, rtp, srtp, rtcp, srtcp }) => {
    const material = { suite: alg, masterKey: bytes(masterKey), masterSalt: bytes(masterSalt) }
    const [sender, receiver] = [new SrtpSender(material), new SrtpReceiver(material)]
    const out = Buffer.alloc(rtp.length + srtpOverheadMax)
    const length = sender.protectRtp(bytes(rtp), rtp.length / 2, out)
    expect(hex(out.subarray(0, length))).toBe(srtp)
    expect(receiver.unprotectRtp(out, length)).toBe(rtp.length / 2)
    expect(hex(out.subarray(0, rtp.length / 2))).toBe(rtp)
    if (rtcp === null || srtcp === null) return
    const rtcpLength = sender.protectRtcp(bytes(rtcp), rtcp.length / 2, out)
    expect(hex(out.subarray(0, rtcpLength))).toBe(srtcp)
    expect(receiver.unprotectRtcp(out, rtcpLength)).toBe(rtcp.length / 2)
    expect(hex(out.subarray(0, rtcp.length / 2))).toBe(rtcp)
  })

  it.each(vectors.aead)('RFC $rfc: $kind with $alg', (vector) => {
    const { alg, kind, sessionKey, sessionSalt, encrypted = true } = vector
    expect(srtpSuites[alg].cipher).toBe('aes-gcm')
    const keys = galoisKeys(bytes(sessionKey), bytes(sessionSalt))
    const [plain, wanted] = [bytes(vector.plain), bytes(vector.protected)]
    const isRtp = kind === 'rtp'
    const clear = isRtp ? 12 : encrypted ? 8 : plain.length
    const sequence = plain.readUInt16BE(2)
    const index = isRtp ? (vector.roc ?? 0) * 65_536 + sequence : (vector.srtcpIndex ?? 0)
    const words = isRtp ? rtpNonceWords(index) : rtcpNonceWords(index)
    const ssrc = plain.readInt32BE(isRtp ? 8 : 4)
    const flagged = Buffer.alloc(isRtp ? 0 : 4)
    if (!isRtp) flagged.writeUInt32BE(((encrypted ? 0x80000000 : 0) | index) >>> 0)
    const associated = Buffer.concat([plain.subarray(0, clear), flagged])
    const out = Buffer.alloc(plain.length + 16)
    const written = seal(keys, ssrc, words, associated, plain.subarray(clear), out, 0)
    const made = Buffer.concat([plain.subarray(0, clear), out.subarray(0, written), flagged])
    expect(hex(made)).toBe(hex(wanted))
    expect(hex(unseal(keys, ssrc, words, associated, out.subarray(0, written)) ?? Buffer.alloc(0))).toBe(
      hex(plain.subarray(clear)),
    )
    out[0] = out[0]! ^ 1
    expect(unseal(keys, ssrc, words, associated, out.subarray(0, written))).toBeUndefined()
  })
})
