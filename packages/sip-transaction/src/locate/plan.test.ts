import { parseUri, type Uri, Via } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { locateGoal, responseGoal } from './plan'

const all = ['UDP', 'TCP', 'TLS', 'WS', 'WSS']

function uri(text: string): Uri {
  const parsed = parseUri(text)
  if (!parsed.ok) throw new Error(parsed.error.sentence)
  return parsed.value
}

/** The goal in a line: `UDP 192.0.2.1:5060`, `host UDP example.com:5070`, `srv _sip._udp.example.com`, `naptr example.com`. */
function goal(text: string, transports: readonly string[] = all, isSecure = false): string {
  const found = locateGoal(uri(text), transports, isSecure)
  if (found === 'unsupported') return found
  if (found.kind === 'address') {
    const { transport, address, port } = found.candidate.address
    const name = found.candidate.serverName === undefined ? '' : ` as ${found.candidate.serverName}`
    return `${transport} ${address} ${port}${name}`
  }
  if (found.kind === 'server') return `host ${found.server.transport} ${found.server.host} ${found.server.port}`
  const services = found.services.map(({ name }) => name).join(' ')
  const { transport, host, port } = found.fallback
  return `${found.kind === 'domain' ? `naptr ${found.domain} ` : ''}srv ${services} else ${transport} ${host} ${port}`
}

describe('locateGoal', () => {
  it('RFC 3263 §4.1 and §4.2: an address needs no look-up, and has the default transport and port', () => {
    expect(goal('sip:a@192.0.2.1')).toBe('UDP 192.0.2.1 5060')
    expect(goal('sip:a@192.0.2.1:5080;transport=tcp')).toBe('TCP 192.0.2.1 5080')
    expect(goal('sip:a@[2001:db8::1]')).toBe('UDP 2001:db8::1 5060')
    expect(goal('sips:a@192.0.2.1')).toBe('TLS 192.0.2.1 5061 as 192.0.2.1')
    expect(goal('sip:a@192.0.2.1', ['TCP'])).toBe('TCP 192.0.2.1 5060')
    expect(goal('sip:a@192.0.2.1;transport=ws')).toBe('WS 192.0.2.1 80')
    expect(goal('sip:a@192.0.2.1;transport=TLS')).toBe('TLS 192.0.2.1 5061 as 192.0.2.1')
  })

  it('RFC 3263 §4: maddr stands in for the host, but not in the certificate', () => {
    expect(goal('sip:a@example.com;maddr=192.0.2.7')).toBe('UDP 192.0.2.7 5060')
    expect(goal('sips:a@example.com;maddr=192.0.2.7')).toBe('TLS 192.0.2.7 5061 as example.com')
    expect(goal('sip:a@example.com;maddr=Proxy.example.net;transport=tcp')).toBe(
      'srv _sip._tcp.proxy.example.net else TCP proxy.example.net 5060',
    )
  })

  it('RFC 3263 §4.2: a port means addresses only, whatever the transport', () => {
    expect(goal('sip:a@example.com:5070')).toBe('host UDP example.com 5070')
    expect(goal('sip:a@example.com:5070;transport=tcp')).toBe('host TCP example.com 5070')
    expect(goal('sips:a@example.com:5071')).toBe('host TLS example.com 5071')
  })

  it('RFC 3263 §4.2: a transport without a port means SRV', () => {
    expect(goal('sip:example.com;transport=tcp')).toBe('srv _sip._tcp.example.com else TCP example.com 5060')
    expect(goal('sip:example.com;transport=udp')).toBe('srv _sip._udp.example.com else UDP example.com 5060')
    expect(goal('sip:example.com;transport=tls')).toBe('srv _sips._tcp.example.com else TLS example.com 5061')
    expect(goal('sip:example.com;transport=wss')).toBe('srv _sips._ws.example.com else WSS example.com 443')
  })

  it('RFC 3263 §4.1: neither means NAPTR, else SRV of each transport at hand', () => {
    expect(goal('sip:example.com')).toBe(
      'naptr example.com srv _sip._udp.example.com _sip._tcp.example.com else UDP example.com 5060',
    )
    expect(goal('sip:example.com', ['TCP'])).toBe(
      'naptr example.com srv _sip._tcp.example.com else TCP example.com 5060',
    )
    expect(goal('sip:example.com.', ['TCP'])).toContain('naptr example.com srv')
  })

  it('RFC 3263 §4.1, RFC 5630: sips leads over secure transports only', () => {
    expect(goal('sips:example.com')).toBe('naptr example.com srv _sips._tcp.example.com else TLS example.com 5061')
    expect(goal('sips:example.com;transport=tcp')).toBe('srv _sips._tcp.example.com else TLS example.com 5061')
    expect(goal('sips:example.com;transport=ws')).toBe('srv _sips._ws.example.com else WSS example.com 443')
    expect(goal('sips:example.com;transport=udp')).toBe('unsupported')
    expect(goal('sips:example.com', ['UDP', 'TCP'])).toBe('unsupported')
    expect(goal('sips:a@192.0.2.1', ['UDP', 'TCP'])).toBe('unsupported')
  })

  it('RFC 3261 §8.1.2: a request for a sips resource takes a sip route as if it were sips', () => {
    expect(goal('sip:192.0.2.1;lr', all, true)).toBe('TLS 192.0.2.1 5061 as 192.0.2.1')
    expect(goal('sip:example.com;transport=tcp;lr', all, true)).toBe(
      'srv _sips._tcp.example.com else TLS example.com 5061',
    )
    expect(goal('sip:192.0.2.1;transport=udp;lr', all, true)).toBe('unsupported')
  })

  it('what needs a transport that is not there, and what is no SIP URI, leads nowhere', () => {
    expect(goal('sip:a@192.0.2.1;transport=sctp')).toBe('unsupported')
    expect(goal('sip:a@192.0.2.1', [])).toBe('unsupported')
    expect(goal('tel:+123')).toBe('unsupported')
  })
})

describe('responseGoal', () => {
  const via = (text: { transport: string; host: string; port?: number }, transports = all) => {
    const found = responseGoal(Via.of({ ...text, params: new Map() }), transports)
    return found === 'unsupported' ? found : found.kind
  }

  it('RFC 3263 §5: the transport is that of the Via, and its sent-by is an address, a host or a service', () => {
    expect(via({ transport: 'TCP', host: '192.0.2.1' })).toBe('address')
    expect(via({ transport: 'TCP', host: 'example.com', port: 5070 })).toBe('server')
    expect(via({ transport: 'TLS', host: 'example.com' })).toBe('service')
    expect(via({ transport: 'TLS', host: 'example.com' }, ['UDP'])).toBe('unsupported')
  })
})
