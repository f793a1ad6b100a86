import { describe, expect, it } from 'vitest'
import {
  addressFamily,
  addressGroup,
  canonicalAddress,
  formatFlowAddress,
  isLoopback,
  isReachable,
  isUnspecified,
  withoutZone,
} from './address'

const udp = (address: string, port = 5060) => ({ transport: 'UDP', address, port })

describe('addresses', () => {
  it('tell their family', () => {
    expect([
      addressFamily('10.0.0.1'),
      addressFamily('::1'),
      addressFamily('fe80::1%eth0'),
      addressFamily('host'),
    ]).toEqual([4, 6, 6, 0])
  })

  it('have one spelling for each IPv6 address', () => {
    expect(canonicalAddress('2001:DB8:0:0:0:0:0:1')).toBe('2001:db8::1')
    expect(canonicalAddress('0:0:0:0:0:0:0:1')).toBe('::1')
    expect(canonicalAddress('FE80::1%eth0')).toBe('fe80::1%eth0')
    expect(canonicalAddress('10.0.0.1')).toBe('10.0.0.1')
    expect(canonicalAddress('no:address')).toBe('no:address')
  })

  it('lose their zone for messages', () => {
    expect(withoutZone('fe80::1%eth0')).toBe('fe80::1')
    expect(withoutZone('10.0.0.1')).toBe('10.0.0.1')
  })

  it('are known as loopback or unspecified in any spelling', () => {
    expect([isLoopback('127.9.9.9'), isLoopback('0:0:0:0:0:0:0:1'), isLoopback('127.example')]).toEqual([
      true,
      true,
      false,
    ])
    expect([isUnspecified('0.0.0.0'), isUnspecified('0::0'), isUnspecified('::1')]).toEqual([true, true, false])
  })

  it('are reached from the same transport and family, loopback from loopback only', () => {
    expect(isReachable(udp('127.0.0.1'), udp('127.0.0.2'))).toBe(true)
    expect(isReachable(udp('0.0.0.0'), udp('192.0.2.1'))).toBe(true)
    expect(isReachable(udp('127.0.0.1'), udp('192.0.2.1'))).toBe(false)
    expect(isReachable(udp('192.0.2.1'), udp('127.0.0.1'))).toBe(false)
    expect(isReachable(udp('0.0.0.0'), udp('::1'))).toBe(false)
    expect(isReachable(udp('0.0.0.0'), { ...udp('192.0.2.1'), transport: 'TCP' })).toBe(false)
    expect(isReachable(udp('0.0.0.0'), udp('example.com'))).toBe(false)
    expect(isReachable(udp('0.0.0.0'), udp('0.0.0.0'))).toBe(false)
    expect(isReachable(udp('0.0.0.0'), udp('192.0.2.1', 0))).toBe(false)
    expect(isReachable(udp('0.0.0.0'), udp('192.0.2.1', 70_000))).toBe(false)
  })

  it('count as one within a /64, for one host can have all of it', () => {
    expect(addressGroup('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2')
    expect(addressGroup('2001:db8:1:2::9')).toBe('2001:db8:1:2')
    expect(addressGroup('2001:db8::9')).toBe(addressGroup('2001:db8:0:0:ffff::1'))
    expect(addressGroup('2001:db8::9')).not.toBe(addressGroup('2001:db8:0:1::9'))
    expect(addressGroup('::1')).toBe('0:0:0:0')
    expect(addressGroup('192.0.2.1')).toBe('192.0.2.1')
  })

  it('are written for people', () => {
    expect(formatFlowAddress(udp('::1'))).toBe('UDP [::1]:5060')
    expect(formatFlowAddress(udp('127.0.0.1'))).toBe('UDP 127.0.0.1:5060')
  })
})
