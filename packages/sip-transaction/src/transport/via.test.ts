import { parseMessage, type SipRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import type { Flow, FlowAddress } from '../ports'
import { SeededRandom } from '../testing/seeded-random'
import { responseDestination, stampReceived } from './via'

function request(via: string): SipRequest {
  const lines = [
    'OPTIONS sip:a@example.com SIP/2.0',
    `Via: ${via}`,
    'Via: SIP/2.0/UDP lower.example.com;branch=z9hG4bKlower;rport',
    'Max-Forwards: 70',
    'To: <sip:a@example.com>',
    'From: <sip:b@example.com>;tag=1',
    'Call-ID: c',
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
  ]
  const parsed = parseMessage(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`))
  if (!parsed.ok || parsed.message.kind !== 'request') throw new Error('the request does not parse')
  return parsed.message
}

const source = (address: string, port = 40_000, transport = 'UDP'): FlowAddress => ({ transport, address, port })

function flow(remote: FlowAddress, isOpen = true, isSecure = false): Flow {
  const local = { transport: remote.transport, address: '192.0.2.254', port: 5060 }
  return { id: 1, transport: remote.transport, isReliable: remote.transport !== 'UDP', isSecure, remote, local, isOpen }
}

describe('stampReceived', () => {
  it('RFC 3261 §18.2.1: adds received when sent-by is another address or a name', () => {
    for (const host of ['10.0.0.1', 'phone.example.com']) {
      const stamped = stampReceived(request(`SIP/2.0/UDP ${host}:5060;branch=z9hG4bK1`), source('192.0.2.1'))
      expect(stamped.via.received).toBe('192.0.2.1')
      expect(stamped.via.rport).toBeUndefined()
      expect(stamped.via.branch).toBe('z9hG4bK1')
    }
  })

  it('leaves a request alone that needs nothing', () => {
    const original = request('SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1')
    expect(stampReceived(original, source('192.0.2.1'))).toBe(original)
  })

  it('RFC 3581 §4: fills rport in and adds received even when the address is the same', () => {
    const stamped = stampReceived(request('SIP/2.0/UDP 192.0.2.1;rport;branch=z9hG4bK1'), source('192.0.2.1'))
    expect(stamped.via.rport).toBe(40_000)
    expect(stamped.via.received).toBe('192.0.2.1')
  })

  it.each([
    'SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1;rport',
    'SIP/2.0/UDP 192.0.2.1:5070;RPORT;branch=z9hG4bK1',
    'SIP/2.0/UDP 192.0.2.1:5070 ; rport ; branch=z9hG4bK1',
    'SIP/2.0/UDP 192.0.2.1:5070;x=";rport;";rport;branch=z9hG4bK1',
    'SIP/2.0/UDP 192.0.2.1:5070;rportal;rport;branch=z9hG4bK1',
    'SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK1;received=1.2.3.4',
  ])('finds rport however it is written: %s', (text) => {
    const { via } = stampReceived(request(text), source('192.0.2.1'))
    expect([via.rport, via.received, via.branch, via.port]).toEqual([40_000, '192.0.2.1', 'z9hG4bK1', 5070])
    expect(via.params.get('x')).toBe(text.includes('x=') ? ';rport;' : undefined)
    expect(via.params.has('rportal')).toBe(text.includes('rportal'))
  })

  it('RFC 7339 §5.2: tells a sender that takes part how much less it should send, in the words of the RFC', () => {
    const feedback = { reduction: 0.2, validityMs: 500, wallMs: 1_282_321_615_782 }
    const offered = 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;oc;oc-algo="loss";rport'
    const stamped = stampReceived(request(offered), source('192.0.2.1'), feedback)
    expect(stamped.get('Via')).toBe(
      'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;oc=20;oc-algo="loss";rport=40000;oc-validity=500;oc-seq=1282321615.782;received=192.0.2.1',
    )
    expect(stampReceived(stamped, source('192.0.2.1'))).toBe(stamped)
    const without = 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;oc;oc-algo="loss"'
    expect(stampReceived(request(without), source('192.0.2.1'), feedback).get('Via')).not.toContain('received')
    const other = request('SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;oc;oc-algo="rate"')
    expect(stampReceived(other, source('192.0.2.1'), feedback)).toBe(other)
  })

  it('keeps parameters in quotes in quotes', () => {
    const { via } = stampReceived(
      request('SIP/2.0/UDP 10.0.0.1;oc;oc-algo="loss";branch=z9hG4bK1'),
      source('192.0.2.1'),
    )
    expect(via.toString()).toContain('oc-algo="loss"')
    expect([via.received, via.ocAlgorithms]).toEqual(['192.0.2.1', ['"loss"'].map((name) => name.replaceAll('"', ''))])
  })

  it('whatever the parameters are, the source and nothing else stands in received and rport afterwards', () => {
    const parts = [
      ';received=6.6.6.6',
      ';RECEIVED=6.6.6.6',
      '; received = 6.6.6.6',
      ';received',
      ';received="6.6.6.6"',
      ';rport',
      ';rport=666',
      ';Rport=667',
      ';x="a;received=6.6.6.6"',
      ';x="\\";received=6.6.6.6',
      ';x=";rport=6"',
      ';oc',
      ';maddr=6.6.6.6',
      ';oc-algo="loss"',
      ';y',
      ';received=[6::6]',
      ';rport = 6',
    ]
    const random = new SeededRandom(5)
    let stampedCount = 0
    for (let round = 0; round < 3_000; round += 1) {
      let text = 'SIP/2.0/UDP 10.0.0.1:5070;branch=z9hG4bK1'
      for (let left = Math.floor(random.fraction() * 5); left >= 0; left -= 1)
        text += parts[Math.floor(random.fraction() * parts.length)]
      const given = request(text)
      if (!given.decode('via').ok) continue
      const feedback = random.fraction() < 0.5 ? { reduction: 0.5, validityMs: 500, wallMs: 1 } : undefined
      const reparsed = request(stampReceived(given, source('192.0.2.1'), feedback).get('Via') ?? '')
      if (!reparsed.decode('via').ok) throw new Error(`made unreadable: ${text}`)
      const { via } = reparsed
      expect(via.received, text).toBe('192.0.2.1')
      if (via.rport !== undefined) expect(via.rport, text).toBe(40_000)
      expect(responseDestination(flow(source('192.0.2.1')), via), text).toMatchObject(
        via.rport === undefined ? { address: { address: '192.0.2.1', port: 5070 } } : { kind: 'flow' },
      )
      stampedCount += 1
    }
    expect(stampedCount).toBeGreaterThan(1_000)
  })

  it('touches the top Via only', () => {
    const stamped = stampReceived(request('SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bK1'), source('192.0.2.1'))
    expect(stamped.vias).toHaveLength(2)
    expect(stamped.vias[1]?.toString()).toBe('SIP/2.0/UDP lower.example.com;branch=z9hG4bKlower;rport')
  })

  it('keeps further values of the same line', () => {
    const two = 'SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1, SIP/2.0/TCP 10.0.0.2;branch=z9hG4bK2'
    const stamped = stampReceived(request(two), source('192.0.2.1'))
    expect(stamped.vias.map(({ branch }) => branch)).toEqual(['z9hG4bK1', 'z9hG4bK2', 'z9hG4bKlower'])
    expect(stamped.vias.map(({ received }) => received)).toEqual(['192.0.2.1', undefined, undefined])
  })

  it('overwrites received and rport of a sender that wants the answer sent elsewhere', () => {
    const forged = request('SIP/2.0/UDP 192.0.2.1;received=203.0.113.9;rport=53;branch=z9hG4bK1')
    const { via } = stampReceived(forged, source('192.0.2.1'))
    expect([via.received, via.rport]).toEqual(['192.0.2.1', 40_000])
    const plain = request('SIP/2.0/UDP 192.0.2.1;received=203.0.113.9;branch=z9hG4bK1')
    expect(stampReceived(plain, source('192.0.2.1')).via.received).toBe('192.0.2.1')
  })

  it('knows IPv6, and keeps zones out of messages', () => {
    const same = request('SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1')
    expect(stampReceived(same, source('2001:db8::1'))).toBe(same)
    const other = request('SIP/2.0/UDP [2001:db8::2]:5060;rport;branch=z9hG4bK1')
    const stamped = stampReceived(other, source('fe80::1%eth0'))
    expect(stamped.via.received).toBe('fe80::1')
    expect(stamped.toString()).not.toContain('eth0')
  })
})

describe('responseDestination', () => {
  const stamp = (via: string, from: FlowAddress) => stampReceived(request(via), from).via

  it('RFC 3261 §18.2.2: a response goes back on the connection that its request came on', () => {
    const from = source('192.0.2.1', 40_000, 'TCP')
    const open = flow(from)
    const via = stamp('SIP/2.0/TCP 10.0.0.1:5070;branch=z9hG4bK1', from)
    expect(responseDestination(open, via)).toEqual({ kind: 'flow', flow: open })
  })

  it('RFC 3261 §18.2.2: with the connection gone, to the source address at the port of sent-by', () => {
    const from = source('192.0.2.1', 40_000, 'TCP')
    const via = stamp('SIP/2.0/TCP 10.0.0.1:5070;branch=z9hG4bK1', from)
    const address = { transport: 'TCP', address: '192.0.2.1', port: 5070 }
    expect(responseDestination(flow(from, false), via)).toEqual({ kind: 'address', address })
    const bare = stamp('SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK1', from)
    expect(responseDestination(flow(from, false), bare)).toMatchObject({ address: { port: 5060 } })
    const secure = flow({ ...from, transport: 'TLS' }, false, true)
    expect(responseDestination(secure, bare)).toMatchObject({ address: { port: 5061 }, serverName: '10.0.0.1' })
  })

  it('RFC 3581 §4: over UDP to where the request came from, when rport is there', () => {
    const from = source('192.0.2.1')
    const open = flow(from)
    const via = stamp('SIP/2.0/UDP 10.0.0.1:5070;rport;branch=z9hG4bK1', from)
    expect(responseDestination(open, via)).toEqual({ kind: 'flow', flow: open })
  })

  it('RFC 3261 §18.2.2: over UDP without rport to the source address at the port of sent-by', () => {
    const from = source('192.0.2.1')
    const via = stamp('SIP/2.0/UDP phone.example.com;branch=z9hG4bK1', from)
    const address = { transport: 'UDP', address: '192.0.2.1', port: 5060 }
    expect(responseDestination(flow(from), via)).toEqual({ kind: 'address', address })
    const standard = source('192.0.2.1', 5060)
    expect(responseDestination(flow(standard), via)).toMatchObject({ kind: 'flow' })
  })

  it('never leaves the address that the request came from, whatever the Via says', () => {
    const from = source('192.0.2.1')
    const forgeries = [
      'SIP/2.0/UDP 203.0.113.9:53;branch=z9hG4bK1',
      'SIP/2.0/UDP 192.0.2.1;maddr=203.0.113.9;branch=z9hG4bK1',
      'SIP/2.0/UDP 203.0.113.9;received=203.0.113.9;rport=53;maddr=203.0.113.9;branch=z9hG4bK1',
    ]
    for (const forged of forgeries) {
      const to = responseDestination(flow(from), stamp(forged, from))
      expect(to.kind === 'flow' ? to.flow.remote.address : to.address.address).toBe('192.0.2.1')
    }
  })

  it('follows maddr for those who ask for it', () => {
    const from = source('192.0.2.1')
    const via = stamp('SIP/2.0/UDP 192.0.2.1:5070;maddr=224.0.1.75;branch=z9hG4bK1', from)
    const address = { transport: 'UDP', address: '224.0.1.75', port: 5070 }
    expect(responseDestination(flow(from), via, { followMaddr: true })).toEqual({ kind: 'address', address })
  })

  it('finds its way back to a link-local address', () => {
    const from = source('fe80::1%eth0')
    const via = stamp('SIP/2.0/UDP [fe80::1]:5070;branch=z9hG4bK1', from)
    const address = { transport: 'UDP', address: 'fe80::1%eth0', port: 5070 }
    expect(responseDestination(flow(from), via)).toEqual({ kind: 'address', address })
  })
})
