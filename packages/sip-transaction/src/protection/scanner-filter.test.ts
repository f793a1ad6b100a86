import { createRequest, type HeaderInit } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { ScannerFilter } from './scanner-filter'

function options(changes: { from?: string; to?: string; agent?: string } = {}) {
  const { from = '<sip:alice@example.com>', to = '<sip:bob@example.net>', agent } = changes
  const headers: HeaderInit[] = [
    ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1'],
    ['From', `${from};tag=1`],
    ['To', to],
    ['Call-ID', '1'],
    ['CSeq', '1 OPTIONS'],
  ]
  if (agent !== undefined) headers.push(['User-Agent', agent])
  return createRequest({ method: 'OPTIONS', uri: 'sip:100@192.0.2.9', headers })
}

describe('ScannerFilter', () => {
  it.each([
    ['friendly-scanner', 'friendly-scanner'],
    ['Friendly-Scanner/1.0', 'friendly-scanner'],
    ['sipvicious 0.3', 'sipvicious'],
    ['sundayddr', 'sundayddr'],
    ['pplsip', 'pplsip'],
    ['sipcli/v1.8', 'sipcli'],
  ])('knows %s by its User-Agent', (agent, name) => {
    expect(new ScannerFilter().judge(options({ agent }))).toBe(name)
  })

  it('knows addresses that only scanners write', () => {
    const filter = new ScannerFilter()
    expect(filter.judge(options({ from: '"sipvicious" <sip:100@1.1.1.1>', to: '<sip:100@1.1.1.1>' }))).toBe(
      'sipvicious-address',
    )
    expect(filter.judge(options({ from: '<sip:nm@nm>', to: '<sip:nm2@nm2>' }))).toBe('nmap-probe')
  })

  it('takes phones, gateways and test tools for what they are', () => {
    const filter = new ScannerFilter()
    for (const agent of ['Yealink SIP-T46S', 'Asterisk PBX 20', 'sipsak 0.9.8', 'PJSUA', 'Scanner Phone 2', ''])
      expect(filter.judge(options({ agent }))).toBeUndefined()
    expect(filter.judge(options())).toBeUndefined()
    // A call to a number at the address of a resolver is odd, but not a scan.
    expect(filter.judge(options({ to: '<sip:100@1.1.1.1>' }))).toBeUndefined()
  })

  it('asks patterns and a predicate of its user, whatever state a pattern keeps', () => {
    const filter = new ScannerFilter({
      userAgents: [/evil/gi],
      isScanner: ({ uri }) => (uri.toString() === 'sip:100@192.0.2.9' ? 'probe of 100' : undefined),
    })
    for (let time = 0; time < 3; time += 1) expect(filter.judge(options({ agent: 'so evil' }))).toBe('user-agent')
    expect(filter.judge(options({ agent: 'good' }))).toBe('probe of 100')
  })

  it('looks at the beginning of a long User-Agent only', () => {
    expect(new ScannerFilter().judge(options({ agent: `${'a'.repeat(300)}friendly-scanner` }))).toBeUndefined()
  })
})
