/** Authorities with limits: how far down they may vouch, for which numbers, and until when. */
import { describe, expect, it } from 'vitest'
import { issue, makeAuthority, type TestCertificate } from '../fixtures/test-pki'
import { certificatesPerFileMax } from '../limits'
import { pathLengthMax } from './certificate-extensions'
import { CertificateSource } from './certificate-source'
import { findChain } from './chain'

const nowMs = Date.UTC(2026, 10, 23)
const validity = { notBeforeMs: nowMs - 1_000, notAfterMs: nowMs + 864_000_000 }
const root = makeAuthority('Root')
const clock = { ms: nowMs }
const get = (...chain: readonly TestCertificate[]) => {
  const fetchCertificate = async () => chain.map(({ pem }) => pem).join('')
  return new CertificateSource({ trustAnchors: [root.pem], wallMs: () => clock.ms, fetchCertificate }).get('https://a/')
}

describe('an authority of some numbers', () => {
  const range = { ranges: [{ start: '12155551000', count: 100 }] }
  const customer = issue(root, { subject: 'Customer', ca: true, ...validity, tnAuthList: range })

  it('hands on no more than it has', async () => {
    const numbers = ['12155551007', '12025550100']
    const found = await get(issue(customer, { subject: 'x', ...validity, tnAuthList: { numbers } }), customer)
    const authority = found.ok ? found.certificate.authority : undefined
    expect(numbers.map((number) => authority?.covers(number))).toEqual([true, false])
    const greedy = await get(issue(customer, { subject: 'x', ...validity, tnAuthList: { spcs: ['1234'] } }), customer)
    expect(greedy.ok && greedy.certificate.authority?.covers('12025550100')).toBe(false)
  })

  it('vouches for nobody who names none, and a list of its own that cannot be read is no list', async () => {
    expect(await get(issue(customer, { subject: 'x', ...validity }), customer)).toMatchObject({ status: 437 })
    const init = { subject: 'Broken', ca: true, ...validity, rawTnAuthList: Buffer.from([0x30, 0x80]) }
    const broken = issue(root, init)
    const leaf = issue(broken, { subject: 'x', ...validity, tnAuthList: { numbers: ['1'] } })
    expect(await get(leaf, broken)).toMatchObject({ status: 437 })
  })

  it('of a provider leaves it to the network', async () => {
    const provider = issue(root, { subject: 'Provider', ca: true, ...validity, tnAuthList: { spcs: ['1234'] } })
    const found = await get(issue(provider, { subject: 'x', ...validity, tnAuthList: { spcs: ['1234'] } }), provider)
    expect(found.ok && found.certificate.authority?.covers('12025550100')).toBe(undefined)
  })
})

describe('a way to an anchor', () => {
  it('is found past an expired certificate of the same name and key', () => {
    const middle = issue(root, { subject: 'Middle', ca: true, ...validity })
    const leaf = issue(middle, { subject: 'Leaf', ...validity })
    const expired = makeAuthority('Root', { notAfterMs: nowMs - 1, privateKey: root.privateKey })
    for (const anchors of [
      [expired.x509, root.x509],
      [root.x509, expired.x509],
    ])
      expect(findChain([leaf.x509, middle.x509], anchors, nowMs)).toEqual([leaf.x509, middle.x509, root.x509])
    expect(findChain([leaf.x509, middle.x509], [expired.x509], nowMs)).toMatch(/expired/)
  })

  it('RFC 5280 §4.2.1.9: is no longer than its authorities allow', () => {
    const bounded = issue(root, { subject: 'Bounded', ca: true, pathLength: 0, ...validity })
    const direct = issue(bounded, { subject: 'Direct', ...validity })
    expect(findChain([direct.x509, bounded.x509], [root.x509], nowMs)).toHaveLength(3)
    const lower = issue(bounded, { subject: 'Lower', ca: true, ...validity })
    const leaf = issue(lower, { subject: 'Leaf', ...validity })
    expect(findChain([leaf.x509, lower.x509, bounded.x509], [root.x509], nowMs)).toMatch(/nobody trusted/)
    expect(pathLengthMax(root.x509.raw)).toBe(Number.POSITIVE_INFINITY)
    expect(pathLengthMax(bounded.x509.raw.subarray(0, 40))).toBe(0)
  })

  it('is believed for no longer than each certificate on it is valid', async () => {
    const middle = issue(root, { subject: 'Brief', ca: true, notBeforeMs: nowMs - 1_000, notAfterMs: nowMs + 60_000 })
    const leaf = issue(middle, { subject: 'Leaf', ...validity })
    const source = new CertificateSource({
      trustAnchors: [root.pem],
      wallMs: () => clock.ms,
      fetchCertificate: async () => leaf.pem + middle.pem,
    })
    expect(await source.get('https://a/')).toMatchObject({ ok: true })
    clock.ms += 61_000
    expect(await source.get('https://a/')).toMatchObject({ ok: false, status: 437 })
    clock.ms = nowMs
  })

  it('may start at any of a long list of anchors', () => {
    const bundle = Array.from({ length: certificatesPerFileMax + 1 }, (_, index) => makeAuthority(`Root ${index}`).pem)
    const options = { wallMs: () => nowMs, fetchCertificate: async () => '' }
    expect(() => new CertificateSource({ ...options, trustAnchors: [bundle.join('')] })).not.toThrow()
  })
})
