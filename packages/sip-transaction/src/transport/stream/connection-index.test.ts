import { describe, expect, it } from 'vitest'
import { ConnectionCaps } from './connection-caps'
import { ConnectionIndex, type IndexedConnection } from './connection-index'

interface TestConnection extends IndexedConnection {
  isOpen: boolean
}

function connection(port: number, changes: Partial<TestConnection> = {}): TestConnection {
  const remote = { address: '192.0.2.1', port }
  return { remote, isOpen: true, isIncoming: true, serverName: undefined, peerIdentities: [], ...changes }
}

const outgoing = (port: number, serverName: string, peerIdentities: readonly string[] = []) =>
  connection(port, { isIncoming: false, serverName, peerIdentities })

describe('which connection a message may use', () => {
  it('RFC 3261 §18.1.1: a plain one to the same address, whoever opened it', () => {
    const index = new ConnectionIndex<TestConnection>(false)
    const one = connection(5060)
    index.add(one)
    expect(index.find('192.0.2.1', 5060, undefined)).toBe(one)
    expect(index.find('192.0.2.1', 5061, undefined)).toBeUndefined()
    one.isOpen = false
    expect(index.find('192.0.2.1', 5060, undefined)).toBeUndefined()
  })

  it('RFC 5922 §7.3: a secure one only to who was asked for, or has proved to be that', () => {
    const index = new ConnectionIndex<TestConnection>(true)
    const a = outgoing(5061, 'a.example', ['a.example', 'also.example'])
    index.add(a)
    expect(index.find('192.0.2.1', 5061, 'A.example')).toBe(a)
    expect(index.find('192.0.2.1', 5061, 'also.example')).toBe(a)
    expect(index.find('192.0.2.1', 5061, 'b.example')).toBeUndefined()
    const b = outgoing(5061, 'b.example')
    index.add(b)
    expect([index.find('192.0.2.1', 5061, 'a.example'), index.find('192.0.2.1', 5061, 'b.example')]).toEqual([a, b])
    index.delete(b)
    expect(index.find('192.0.2.1', 5061, 'b.example')).toBeUndefined()
    expect(index.find('192.0.2.1', 5061, 'a.example')).toBe(a)
  })

  it('a secure one that came from that address when the user named the address, but not one opened for a name', () => {
    const index = new ConnectionIndex<TestConnection>(true)
    const [came, opened] = [connection(40_000), outgoing(5061, 'a.example')]
    index.add(came)
    index.add(opened)
    expect(index.find('192.0.2.1', 40_000, undefined)).toBe(came)
    expect(index.find('192.0.2.1', 40_000, 'a.example')).toBeUndefined()
    expect(index.find('192.0.2.1', 5061, undefined)).toBeUndefined()
  })

  it('RFC 5923 §8.2: the port that was offered, for a domain that was proved', () => {
    const index = new ConnectionIndex<TestConnection>(true)
    const peer = connection(40_000, { peerIdentities: ['peer.example'] })
    index.add(peer)
    index.alias(peer, 5061)
    expect(index.find('192.0.2.1', 5061, 'peer.example')).toBe(peer)
    expect(index.find('192.0.2.1', 5061, 'other.example')).toBeUndefined()
    expect(index.find('192.0.2.1', 5061, undefined)).toBeUndefined()
    expect(index.find('192.0.2.2', 5061, 'peer.example')).toBeUndefined()
    index.delete(peer)
    expect(index.find('192.0.2.1', 5061, 'peer.example')).toBeUndefined()
  })

  it('one offer per connection, and the last one counts, so that offers cannot pile up', () => {
    const index = new ConnectionIndex<TestConnection>(true)
    const [old, young] = [40_000, 40_001].map((port) => connection(port, { peerIdentities: ['peer.example'] }))
    if (old === undefined || young === undefined) throw new Error('no connections')
    for (let port = 1; port <= 1_000; port++) index.alias(old, port)
    expect(index.find('192.0.2.1', 999, 'peer.example')).toBeUndefined()
    expect(index.find('192.0.2.1', 1_000, 'peer.example')).toBe(old)
    index.alias(young, 1_000)
    expect(index.find('192.0.2.1', 1_000, 'peer.example')).toBe(young)
    index.delete(old)
    expect(index.find('192.0.2.1', 1_000, 'peer.example')).toBe(young)
  })
})

describe('caps on connections', () => {
  it('count by address, the /64 of IPv6 as one, and in all; what is given back is there again', () => {
    const caps = new ConnectionCaps({ connectionsMax: 3, connectionsPerAddressMax: 2 })
    expect(['2001:db8::1', '2001:db8::2', '2001:db8::3'].map((address) => caps.take(address))).toEqual([
      true,
      true,
      false,
    ])
    expect(['192.0.2.1', '192.0.2.2'].map((address) => caps.take(address))).toEqual([true, false])
    caps.release('2001:db8::2')
    expect([caps.take('2001:db8::9'), caps.count]).toEqual([true, 3])
  })
})
