import type { SipRequest } from '@carillon/sip-parser'
import { NameAddr, parseUri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { AssertedIdentity } from '../asserted-identity'
import { invite } from '../fixtures/messages'
import { issue, makeAuthority } from './fixtures/test-pki'
import { IdentitySigner } from './identity-signer'
import { IdentityVerifier } from './identity-verifier'
import { signPassport } from './passport'

const startMs = Date.UTC(2026, 10, 23, 12)
const url = 'https://certs.example/a.pem'
const authority = makeAuthority('Test Authority')
const validity = { notBeforeMs: startMs - 86_400_000, notAfterMs: startMs + 86_400_000 }
const good = issue(authority, { subject: 'SHAKEN 1234', ...validity, tnAuthList: { spcs: ['1234'] } })
const caller = 'sip:+12155551212@a.example'
const callee = 'sip:+12155550113@b.example'

/** A signer, and a verifier with a clock of its own. */
function scene(issued = good, pem = issued.pem) {
  const clock = { ms: startMs }
  const fetched: string[] = []
  const signer = new IdentitySigner({ key: issued.privateKey, certificateUrl: url, wallMs: () => clock.ms })
  const verifier = new IdentityVerifier({
    trustAnchors: [authority.pem],
    fetchCertificate: async (where) => {
      fetched.push(where)
      return pem
    },
    wallMs: () => clock.ms,
  })
  return { clock, fetched, signer, verifier, verify: (message: SipRequest) => verifier.verify({ message }) }
}

/** The INVITE with these headers. */
function call(headers: readonly (readonly [string, unknown])[], more: readonly string[] = [], to = callee) {
  const lines = headers.map(([name, value]) => `${name}: ${value}`)
  return invite([`From: <${caller}>;tag=1`, `To: <${to}>`, ...lines, ...more], to)
}

const signed = (signer: IdentitySigner, more: readonly string[] = []) =>
  call(signer.headers({ from: caller, to: callee, attest: 'A' }) as [string, unknown][], more)

describe('verification of a caller', () => {
  it('RFC 8224 §6.2: a signature whose certificate leads to an anchor is believed, with its attestation', async () => {
    const { signer, fetched, verify } = scene()
    const verdict = await verify(signed(signer))
    expect(verdict).toMatchObject({ verstat: 'TN-Validation-Passed', attest: 'A' })
    expect(verdict.verstat === 'TN-Validation-Passed' && verdict.passport.claims).toMatchObject({
      orig: { tn: '12155551212' },
      dest: { tn: ['12155550113'] },
      origid: expect.stringMatching(/^[0-9a-f-]{36}$/),
    })
    expect(fetched).toEqual([url])
  })

  it('RFC 8224 §6.2: a request that nobody signed is none that failed; 428 is for those who insist', async () => {
    const { verify, fetched } = scene()
    expect(await verify(call([]))).toMatchObject({
      verstat: 'No-TN-Validation',
      status: 428,
      reason: 'Use Identity Header',
    })
    const other = call([], ['Identity: a.b.c;info=<https://x.example/y>;ppt="div"'])
    expect(await verify(other)).toMatchObject({ verstat: 'No-TN-Validation', status: 428 })
    expect(fetched).toEqual([])
  })

  it('RFC 8224 §4.1: the compact form is checked against Date, From and To', async () => {
    const { signer, verify } = scene()
    const [date, identity] = signer.headers({ from: caller, to: callee })
    const value = String(identity?.[1])
    const compact = `..${value.split(';')[0]?.split('.')[2]}${value.slice(value.indexOf(';'))}`
    const lines = [date as [string, unknown], ['Identity', compact] as const]
    expect(await verify(call(lines))).toMatchObject({ verstat: 'TN-Validation-Passed', attest: undefined })
    const elsewhere = call(lines, [], 'sip:+12155550199@b.example')
    expect(await scene().verify(elsewhere)).toMatchObject({ status: 438, detail: 'the signature is wrong' })
    expect(await scene().verify(call(lines.slice(1)))).toMatchObject({ status: 438 })
  })

  it('RFC 8224 §6.2 step 4: a minute old at most, and not of the future', async () => {
    for (const [shiftMs, status] of [
      [60_000, undefined],
      [61_000, 403],
      [-60_000, undefined],
      [-61_000, 403],
    ] as const) {
      const { signer, clock, verify } = scene()
      const request = signed(signer)
      clock.ms += shiftMs
      const verdict = await verify(request)
      expect('status' in verdict ? verdict.status : undefined, `${shiftMs}`).toBe(status)
    }
    const { signer, verify } = scene()
    const [, identity] = signer.headers({ from: caller, to: callee, attest: 'A' })
    const redated = call([['Date', new Date(startMs - 90_000).toUTCString()], identity as [string, unknown]])
    expect(await verify(redated)).toMatchObject({ status: 403, reason: 'Stale Date' })
  })

  it('RFC 8224 §12.1: a signature is good for one call', async () => {
    const { signer, clock, verify, verifier } = scene()
    const request = signed(signer)
    expect(await verify(request)).toMatchObject({ verstat: 'TN-Validation-Passed' })
    expect(await verify(request)).toMatchObject({ verstat: 'TN-Validation-Passed' })
    const headers = ['Date', 'Identity'].map((name) => [name, request.get(name)] as const)
    const replay = call(headers, ['Call-ID: another'])
    expect(await verify(replay)).toMatchObject({ status: 438, detail: 'it was used for another call' })
    expect(verifier.remembered).toBe(1)
    clock.ms += 61_000
    expect(await verify(signed(signer, ['Call-ID: third']))).toMatchObject({ verstat: 'TN-Validation-Passed' })
    expect(verifier.remembered).toBe(1)
  })

  it('a forged signature is not remembered, and does not use up the true one', async () => {
    const { signer, verify, verifier } = scene()
    const request = signed(signer)
    const identity = request.get('Identity') ?? ''
    const [token = ''] = identity.split(';')
    const forged = identity.replace(token, `${token.slice(0, token.lastIndexOf('.') + 1)}${'A'.repeat(86)}`)
    const lines = [['Date', request.get('Date')] as const, ['Identity', forged] as const]
    expect(await verify(call(lines, ['Call-ID: thief']))).toMatchObject({
      status: 438,
      detail: 'the signature is wrong',
    })
    expect(verifier.remembered).toBe(0)
    expect(await verify(request)).toMatchObject({ verstat: 'TN-Validation-Passed' })
  })

  it('RFC 8224 §6.2: another caller, another callee, another certificate: 438, and nothing is fetched', async () => {
    const { signer, verify, fetched } = scene()
    const of = (from: string, to: string) => signer.headers({ from, to, attest: 'A' }) as [string, unknown][]
    expect(await verify(call(of('sip:+19995551212@a.example', callee)))).toMatchObject({
      status: 438,
      detail: 'somebody else calls',
    })
    expect(await verify(call(of(caller, 'tel:+19995550113')))).toMatchObject({
      status: 438,
      detail: 'somebody else is called',
    })
    const claims = { orig: { tn: '12155551212' }, dest: { tn: ['12155550113'] }, iat: startMs / 1000 }
    const token = signPassport(claims, 'https://certs.example/other.pem', good.privateKey)
    expect(await verify(call([['Identity', `${token};info=<${url}>;alg=ES256`]]))).toMatchObject({ status: 438 })
    expect(await verify(call([['Identity', `${token};info=<${url}>;alg=RS256`]]))).toMatchObject({ status: 438 })
    expect(fetched).toEqual([])
  })

  it('RFC 8224 §6.2 step 1: the caller may be the asserted one', async () => {
    const { signer, verifier } = scene()
    const headers = signer.headers({ from: 'tel:+12155559999', to: callee, attest: 'B' }) as [string, unknown][]
    const uri = parseUri('tel:+12155559999')
    if (!uri.ok) throw new Error('no URI')
    const asserted = AssertedIdentity.of(NameAddr.of({ uri: uri.value }))
    expect(await verifier.verify({ message: call(headers) })).toMatchObject({ status: 438 })
    expect(await verifier.verify({ message: call(headers) }, { asserted })).toMatchObject({ attest: 'B' })
  })

  it('RFC 8226 §9: a certificate for other numbers is not good for this caller', async () => {
    const range = (start: string, count: number) =>
      issue(authority, { subject: 'x', ...validity, tnAuthList: { ranges: [{ start, count }] } })
    const within = scene(range('12155551200', 100))
    expect(await within.verify(signed(within.signer))).toMatchObject({ verstat: 'TN-Validation-Passed' })
    const silent = scene(issue(authority, { subject: 'x', ...validity }))
    expect(await silent.verify(signed(silent.signer))).toMatchObject({ status: 437 })
    const outside = scene(range('12155551000', 100))
    expect(await outside.verify(signed(outside.signer))).toMatchObject({
      status: 437,
      reason: 'Unsupported Credential',
    })
  })

  it('RFC 8224 §6.2.2: what cannot be fetched is 436, and what cannot be trusted is 437', async () => {
    const { signer, clock } = scene()
    const failing = new IdentityVerifier({
      trustAnchors: [authority.pem],
      fetchCertificate: () => Promise.reject(new Error('connection refused')),
      wallMs: () => clock.ms,
    })
    expect(await failing.verify({ message: signed(signer) })).toMatchObject({
      status: 436,
      reason: 'Bad Identity Info',
    })
    const stranger = issue(makeAuthority('Nobody'), { subject: 'x', ...validity })
    const untrusted = scene(stranger)
    expect(await untrusted.verify(signed(untrusted.signer))).toMatchObject({ status: 437 })
    const swapped = scene(good, issue(authority, { subject: 'y', ...validity, tnAuthList: { spcs: ['99'] } }).pem)
    expect(await swapped.verify(signed(swapped.signer))).toMatchObject({
      status: 438,
      detail: 'the signature is wrong',
    })
  })

  it('looks at a few Identity headers, and one that holds is enough', async () => {
    const { signer, verify, fetched } = scene()
    const junk = Array.from({ length: 3 }, (_, index) => `Identity: x.y.z${index};info=<https://junk.example/${index}>`)
    const [date, identity] = signer.headers({ from: caller, to: callee, attest: 'C' }) as [string, unknown][]
    const request = call([date as [string, unknown]], [...junk, `Identity: ${identity?.[1]}`])
    expect(await verify(request)).toMatchObject({ verstat: 'TN-Validation-Passed', attest: 'C' })
    const tooMany = call([date as [string, unknown]], [...junk, ...junk, `Identity: ${identity?.[1]}`])
    expect(await scene().verify(tooMany)).toMatchObject({ status: 438 })
    expect(fetched).toEqual([url])
  })

  it('an aborted signal ends the wait', async () => {
    const { signer, clock } = scene()
    const stuck = new IdentityVerifier({
      trustAnchors: [authority.pem],
      fetchCertificate: () => new Promise<string>(() => {}),
      wallMs: () => clock.ms,
    })
    const abort = new AbortController()
    const waiting = stuck.verify({ message: signed(signer) }, { signal: abort.signal })
    abort.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })
})
