import { describe, expect, it } from 'vitest'
import { invite, response } from './fixtures/messages'
import { TrustDomain, type TrustDomainOptions } from './trust-domain'

const member = { address: '10.0.0.7' }
const stranger = { address: '192.0.2.66' }
const domain = (options: TrustDomainOptions = {}) => new TrustDomain({ addresses: ['10.0.0.0/8'], ...options })
const trust = domain()
const asserting = '"Cullen" <sip:fluffy@cisco.com>'

describe('who belongs to a trust domain', () => {
  it('RFC 3325 §2.3: addresses and networks of both families, and what TLS has proved', () => {
    const some = domain({ addresses: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.1'], domains: ['Carrier.example'] })
    expect(some.trusts({ address: '10.200.0.1' })).toBe(true)
    expect(some.trusts({ address: '2001:db8:1::5' })).toBe(true)
    expect(some.trusts({ address: '192.0.2.1' })).toBe(true)
    expect(some.trusts({ address: '::ffff:10.1.1.1' })).toBe(true)
    expect(some.trusts({ address: '192.0.2.2' })).toBe(false)
    expect(some.trusts({ address: 'carrier.example' })).toBe(false)
    expect(some.trusts({ address: '192.0.2.2', peerIdentities: ['carrier.example'] })).toBe(true)
    expect(some.trusts({ address: '192.0.2.2', peerIdentities: ['evil.example'] })).toBe(false)
    expect(some.trusts({})).toBe(false)
  })

  it('of a target the address counts that it names, and its domain where TLS will prove it', () => {
    const some = domain({ domains: ['carrier.example'] })
    expect(some.trusts('sip:a@10.0.0.7')).toBe(true)
    expect(some.trusts('sips:a@carrier.example')).toBe(true)
    expect(some.trusts('sip:a@carrier.example;transport=TLS')).toBe(true)
    expect(some.trusts('sip:a@carrier.example')).toBe(false)
    expect(some.trusts('tel:+1')).toBe(false)
    expect(some.trusts('nonsense')).toBe(false)
    expect(some.trusts({ uri: 'sip:a@10.0.0.7', nextHop: 'sip:192.0.2.66' })).toBe(false)
    expect(some.trusts({ uri: 'sip:a@10.0.0.7', routes: ['<sip:192.0.2.66;lr>'] })).toBe(false)
    expect(some.trusts({ uri: 'sip:a@192.0.2.66', routes: ['<sip:10.0.0.9;lr>'] })).toBe(true)
    expect(some.trusts({ uri: 'sip:a@10.0.0.7', flowId: 3 })).toBe(false)
    const destination = { transport: 'UDP', address: '192.0.2.66', port: 5060 }
    expect(some.trusts({ uri: 'sips:a@carrier.example', destination })).toBe(false)
    expect(some.trusts({ uri: 'sip:a@b', destination: { ...destination, address: '10.1.1.1' } })).toBe(true)
  })

  it('a function may say so, and what is no address is refused', () => {
    expect(new TrustDomain({ trusts: ({ address }) => address === '192.0.2.66' }).trusts(stranger)).toBe(true)
    for (const wrong of ['10.0.0.0/33', 'host', '10.0.0', '::/129', '10.0.0.0/-1', '10.0.0.0/8/8x']) {
      expect(() => domain({ addresses: [wrong] })).toThrow(expect.objectContaining({ code: 'TRUST_INVALID' }))
    }
    expect(() => domain({ domains: [''] })).toThrow(expect.objectContaining({ code: 'TRUST_INVALID' }))
  })
})

describe('requests at the edge of a trust domain', () => {
  const from = (source: typeof member, lines: readonly string[] = [], method = 'INVITE') => ({
    message: invite(lines, undefined, method),
    source,
  })
  const pai = (value = asserting) => `P-Asserted-Identity: ${value}`

  it('RFC 3325 §5: a stranger asserts nothing; what he says is removed', () => {
    const forged = from(stranger, [pai('<sip:president@example.com>'), pai('<tel:+1>')])
    expect(trust.identityOf(forged)).toBeUndefined()
    expect(trust.changes(forged, member)).toEqual({ remove: ['P-Asserted-Identity'] })
    expect(trust.changes(forged, stranger)).toEqual({ remove: ['P-Asserted-Identity'] })
    expect(trust.changes(from(stranger), member)).toEqual({})
  })

  it('RFC 3325 §5: a member is believed, and inside of the domain nothing is changed', () => {
    const request = from(member, [pai(), pai('tel:+14085264000'), 'Privacy: id'])
    expect(trust.identityOf(request)?.toString()).toBe('"Cullen" <sip:fluffy@cisco.com>, <tel:+14085264000>')
    expect(trust.changes(request, { address: '10.9.9.9' })).toEqual({})
  })

  it('RFC 3325 §7, §9.3: what is private does not leave, whatever is usual', () => {
    for (const toStrangers of ['remove', 'pass'] as const) {
      for (const privacy of ['id', 'user', 'id;critical', 'header;id', 'id,']) {
        const request = from(member, [pai(), `Privacy: ${privacy}`])
        expect(domain({ toStrangers }).changes(request, stranger)).toEqual({ remove: ['P-Asserted-Identity'] })
      }
    }
  })

  it('RFC 3325 §7: without a wish policy decides, and Privacy: none keeps it', () => {
    const request = from(member, [pai()])
    expect(trust.changes(request, stranger)).toEqual({ remove: ['P-Asserted-Identity'] })
    expect(domain({ toStrangers: 'pass' }).changes(request, stranger)).toEqual({})
    expect(trust.changes(from(member, [pai(), 'Privacy: none']), stranger)).toEqual({})
    expect(trust.changes(from(member, [pai(), 'Privacy: none;id']), stranger).remove).toEqual(['P-Asserted-Identity'])
  })

  it('RFC 3325 §5, §6: who has proved who he is gets his identity: the preferred one if it is his, else the first', () => {
    const user = ['sip:fluffy@cisco.com', 'tel:+14085264000']
    const assert = (lines: readonly string[]) => trust.changes(from(stranger, lines), member, { user })
    expect(assert([])).toEqual({
      remove: ['P-Asserted-Identity'],
      add: [['P-Asserted-Identity', '<sip:fluffy@cisco.com>']],
    })
    expect(assert(['P-Preferred-Identity: "C" <sip:fluffy@CISCO.com>, <tel:+1-408-526-4000>'])).toEqual({
      remove: ['P-Asserted-Identity', 'P-Preferred-Identity'],
      add: [
        ['P-Asserted-Identity', '"C" <sip:fluffy@CISCO.com>'],
        ['P-Asserted-Identity', '<tel:+1-408-526-4000>'],
      ],
    })
    for (const foreign of ['<sip:president@cisco.com>', '<tel:+1', '', '<mailto:fluffy@cisco.com>']) {
      expect(assert([`P-Preferred-Identity: ${foreign}`, pai('<sip:president@cisco.com>')]).add).toEqual([
        ['P-Asserted-Identity', '<sip:fluffy@cisco.com>'],
      ])
    }
  })

  it('RFC 3325 §5: asserts to members only what a user has proved', () => {
    const { add } = trust.changes(from(stranger), stranger, { user: ['sip:fluffy@cisco.com'] })
    expect(add).toBeUndefined()
    const member2 = from(member, [pai('<sip:other@cisco.com>')])
    expect(trust.changes(member2, member, { user: ['sip:fluffy@cisco.com'] })).toEqual({})
  })

  it('RFC 5876 §3.2: any method but ACK and CANCEL carries one', () => {
    const user = ['sip:fluffy@cisco.com']
    for (const method of ['MESSAGE', 'SUBSCRIBE', 'PUBLISH', 'UPDATE', 'REGISTER'])
      expect(trust.changes(from(stranger, [], method), member, { user }).add).toHaveLength(1)
    for (const method of ['ACK', 'CANCEL'])
      expect(trust.changes(from(stranger, [pai()], method), member, { user })).toEqual({
        remove: ['P-Asserted-Identity'],
      })
  })

  it('RFC 5876 §4.5: what a member says wrongly goes on rightly, or not at all', () => {
    expect(trust.changes(from(member, [pai('<sip:a@b>, <sip:c@d>')]), member)).toEqual({
      remove: ['P-Asserted-Identity'],
      add: [['P-Asserted-Identity', '<sip:a@b>']],
    })
    expect(trust.changes(from(member, [pai('<sip:a@b>, <')]), member)).toEqual({ remove: ['P-Asserted-Identity'] })
  })

  it('a user of whom the program knows no identity that is one is a mistake of the program', () => {
    for (const user of [['fluffy'], ['mailto:a@b']])
      expect(() => trust.changes(from(stranger), member, { user })).toThrow(
        expect.objectContaining({ code: 'IDENTITY_INVALID' }),
      )
  })
})

describe('responses at the edge of a trust domain', () => {
  const asked = (source: typeof member) => ({ message: invite(), source })
  const answer = (...lines: string[]) => response(200, [`P-Asserted-Identity: ${asserting}`, ...lines])

  it('RFC 3325 §4, §5: a stranger who answers asserts nothing', () => {
    expect(trust.responseChanges(answer(), stranger, asked(member))).toEqual({ remove: ['P-Asserted-Identity'] })
    expect(trust.identityOfAnswer(answer(), stranger)).toBeUndefined()
  })

  it('RFC 3325 §7: whoever called hears who answered if he belongs to it, or Privacy: none says so', () => {
    expect(trust.responseChanges(answer(), member, asked(member))).toEqual({})
    expect(trust.identityOfAnswer(answer(), member)?.uri.toString()).toBe('sip:fluffy@cisco.com')
    expect(trust.responseChanges(answer(), member, asked(stranger)).remove).toEqual(['P-Asserted-Identity'])
    expect(trust.responseChanges(answer('Privacy: none'), member, asked(stranger))).toEqual({})
    const open = domain({ toStrangers: 'pass' })
    expect(open.responseChanges(answer('Privacy: id'), member, asked(stranger)).remove).toHaveLength(1)
    expect(open.responseChanges(answer(), member, asked(stranger))).toEqual({})
  })
})

describe('a bridge at the edge of a trust domain', () => {
  const request = (source: typeof member, ...lines: string[]) => ({
    message: invite([`P-Asserted-Identity: ${asserting}`, ...lines]),
    source,
  })

  it('RFC 3325 §5: lets the identity pass inside, and further requests of a stranger not at all', () => {
    expect(trust.policy(request(member), 'sip:a@10.0.0.9')).toEqual({
      toA: { pass: ['P-Asserted-Identity', 'Privacy'], drop: ['P-Preferred-Identity'], set: [] },
      toB: { pass: ['P-Asserted-Identity', 'Privacy'], drop: ['P-Preferred-Identity'], set: [] },
    })
    const base = { toB: { pass: ['Subject'], drop: ['X-A'], set: [['X-B', '1'] as const] } }
    const { toA, toB } = trust.policy(request(stranger), 'sip:a@10.0.0.9', { user: ['sip:fluffy@cisco.com'], base })
    expect(toB).toEqual({
      pass: ['Subject', 'P-Asserted-Identity', 'Privacy'],
      drop: ['X-A', 'P-Preferred-Identity', 'P-Asserted-Identity'],
      set: [
        ['X-B', '1'],
        ['P-Asserted-Identity', '<sip:fluffy@cisco.com>'],
      ],
    })
    expect(toA.drop).toContain('P-Asserted-Identity')
  })
})
