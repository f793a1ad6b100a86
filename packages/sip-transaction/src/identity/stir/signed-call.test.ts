/** A signed call on its way: one network signs, the next one verifies, and the phone is told. */
import { describe, expect, it } from 'vitest'
import { SipStack } from '../../endpoint/stack'
import { FakeClock } from '../../testing/fake-clock'
import { MemoryNetwork } from '../../testing/memory-network'
import { issue, makeAuthority } from './fixtures/test-pki'
import { IdentitySigner } from './identity-signer'
import { IdentityVerifier } from './identity-verifier'
import { verstatChanges } from './verstat'

const nowMs = Date.UTC(2026, 10, 23, 12)
const authority = makeAuthority('Test Authority')
const issued = issue(authority, {
  subject: 'SHAKEN 1234',
  notBeforeMs: nowMs - 1_000,
  notAfterMs: nowMs + 86_400_000,
  tnAuthList: { numbers: ['12155551212'] },
})

async function network() {
  const clock = new FakeClock()
  const transports = [new MemoryNetwork({ clock }).factory({ scheme: 'udp' })]
  const at = (host: string) => SipStack.create({ listen: [`udp://${host}:5060`], transports, clock, proxy: true })
  const [alice, origin, target, bob] = await Promise.all([
    ...[at('10.0.0.1'), at('10.1.0.1'), at('10.2.0.1'), at('10.0.0.2')],
  ])
  if (!alice || !origin || !target || !bob) throw new Error('no stack')
  const wallMs = () => nowMs
  const signer = new IdentitySigner({ key: issued.privateKey, certificateUrl: 'https://certs.example/a.pem', wallMs })
  const verifier = new IdentityVerifier({
    trustAnchors: [authority.pem],
    fetchCertificate: async () => issued.pem,
    wallMs,
  })
  origin.method('INVITE', (request) =>
    request.proxy('sip:+12155550113@10.2.0.1', { headers: signer.changes(request.message, { attest: 'A' }) }),
  )
  target.method('INVITE', async (request) => {
    const { verstat } = await verifier.verify(request, { signal: request.signal })
    await request.proxy('sip:+12155550113@10.0.0.2', { headers: verstatChanges(request.message, verstat) })
  })
  const seen: string[] = []
  bob.method('INVITE', (request) => {
    seen.push(request.from.uri.toString())
    request.reply(486)
  })
  const call = async (from: string, by: string) => {
    const calling = alice.invite(`sip:+12155550113@${by}`, { from })
    calling.catch(() => {})
    await clock.advance(2_000)
    return seen.pop()
  }
  return { call, close: () => Promise.all([alice, origin, target, bob].map((stack) => stack.close({ graceMs: 0 }))) }
}

describe('a signed call', () => {
  it('RFC 8224 §5, §6: who signs and who verifies agree, and the phone is told', async () => {
    const { call } = await network()
    const caller = 'sip:+12155551212@10.1.0.1'
    expect(await call(caller, '10.1.0.1')).toBe('sip:+12155551212;verstat=TN-Validation-Passed@10.1.0.1')
    expect(await call(caller, '10.2.0.1')).toBe('sip:+12155551212;verstat=No-TN-Validation@10.1.0.1')
  })

  it('a number that the certificate is not for, and a result that the caller wrote himself, are not believed', async () => {
    const { call } = await network()
    expect(await call('sip:+19995551212@10.1.0.1', '10.1.0.1')).toBe(
      'sip:+19995551212;verstat=TN-Validation-Failed@10.1.0.1',
    )
    expect(await call('sip:+19995551212;verstat=TN-Validation-Passed@10.1.0.1', '10.2.0.1')).toBe(
      'sip:+19995551212;verstat=No-TN-Validation@10.1.0.1',
    )
  })
})
