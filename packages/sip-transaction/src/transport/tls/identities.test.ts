import { describe, expect, it } from 'vitest'
import { dnsNamesOf, isCertificateFor, sipDomainsOf } from './identities'

const names = (subjectAltName: string | undefined, commonName?: string) => ({ subjectAltName, commonName })

describe('who a certificate is for (RFC 5922 §7.1)', () => {
  it.each([
    ['a SIP URI', 'URI:sip:example.com', ['example.com']],
    ['several', 'URI:sip:a.example, URI:sip:b.example', ['a.example', 'b.example']],
    ['SIP URIs before DNS names', 'DNS:dns.example, URI:sip:uri.example', ['uri.example']],
    ['DNS names where there is no SIP URI', 'DNS:a.example, DNS:B.Example', ['a.example', 'b.example']],
    ['no URI of another scheme', 'URI:sips:a.example, URI:https://b.example, DNS:c.example', ['c.example']],
    ['no URI with a user, which names a person', 'URI:sip:alice@a.example, DNS:b.example', ['b.example']],
    ['the host of a URI with port and parameters', 'URI:sip:A.example:5061;transport=tls', ['a.example']],
    ['no wildcard', 'DNS:*.a.example, DNS:b.*.example, URI:sip:*.c.example', []],
    ['no leading dot', 'DNS:.example.com', []],
    ['no address passed off as a name', 'DNS:192.0.2.1, IP Address:192.0.2.2', []],
    ['no name with a null or a blank in it', 'DNS:"good.example\\u0000.evil.example", DNS:a b', []],
    ['a quoted value as one value', 'DNS:"a.example, DNS:b.example", DNS:c.example', ['c.example']],
    ['a quoted URI as one value', 'URI:"sip:a.example\\u002c DNS:bank.example", DNS:c.example', ['c.example']],
    ['a name that ends with a dot, without it', 'DNS:a.example.', ['a.example']],
  ])('takes %s', (_what, subjectAltName, domains) => {
    expect(sipDomainsOf(names(subjectAltName, 'common.example'))).toEqual(domains)
  })

  it('the common name counts only where there are no alternative names at all', () => {
    expect(sipDomainsOf(names(undefined, 'Common.example'))).toEqual(['common.example'])
    expect(sipDomainsOf(names('', 'common.example'))).toEqual(['common.example'])
    expect(sipDomainsOf(names('IP Address:192.0.2.1', 'common.example'))).toEqual([])
    expect(sipDomainsOf(names(undefined, 'My Phone'))).toEqual([])
    expect(sipDomainsOf(names(undefined, undefined))).toEqual([])
  })

  it('a long value that cannot be split costs no time', () => {
    const start = process.cpuUsage()
    for (const piece of ['DNS:"', 'DNS:a, ', '"\\', ', :']) sipDomainsOf(names(piece.repeat(20_000)))
    const { user, system } = process.cpuUsage(start)
    expect(user + system).toBeLessThan(2_000_000)
  })
})

describe('comparing (RFC 5922 §7.2)', () => {
  it('compares whole names, without regard to case', () => {
    const certificate = names('DNS:sip.example.com')
    expect(isCertificateFor(certificate, 'SIP.example.COM')).toBe(true)
    expect(isCertificateFor(certificate, 'sip.example.com.')).toBe(true)
    for (const name of ['example.com', 'a.sip.example.com', 'sip.example.co', 'xsip.example.com', '']) {
      expect(isCertificateFor(certificate, name)).toBe(false)
    }
  })

  it('compares addresses with addresses only', () => {
    const certificate = names('DNS:192.0.2.9, IP Address:192.0.2.1, IP Address:2001:DB8:0:0:0:0:0:1')
    expect(isCertificateFor(certificate, '192.0.2.1')).toBe(true)
    expect(isCertificateFor(certificate, '2001:db8::1')).toBe(true)
    expect(isCertificateFor(certificate, '192.0.2.9')).toBe(false)
    expect(isCertificateFor(certificate, '2001:db8::2')).toBe(false)
  })

  it('lists the names to choose a certificate by', () => {
    expect(dnsNamesOf(names('DNS:a.example, URI:sip:b.example, DNS:*.c.example'))).toEqual(['a.example', 'b.example'])
    expect(dnsNamesOf(names(undefined, 'common.example'))).toEqual([])
  })
})
