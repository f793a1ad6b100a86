import { describe, expect, it } from 'vitest'
import { orderForLongRequest } from './long-request'
import type { Candidate } from './plan'

const candidate = (transport: string, host: number, isTransportNamed = false): Candidate => ({
  kind: 'address',
  address: { transport, address: `10.0.0.${host}`, port: 5060 },
  isTransportNamed,
})
const order = (candidates: readonly Candidate[], hasStream = true) =>
  orderForLongRequest(candidates, () => hasStream).map(({ address }) => `${address.transport} ${address.address}`)

describe('orderForLongRequest', () => {
  it('RFC 3261 §18.1.1: each server over TCP, then over UDP, before the next server', () => {
    expect(order([candidate('UDP', 1), candidate('UDP', 2)])).toEqual([
      'TCP 10.0.0.1',
      'UDP 10.0.0.1',
      'TCP 10.0.0.2',
      'UDP 10.0.0.2',
    ])
  })

  it('takes the streams that the DNS has named, where it has', () => {
    expect(order([candidate('UDP', 1), candidate('TLS', 2), candidate('TCP', 3)])).toEqual([
      'TLS 10.0.0.2',
      'TCP 10.0.0.3',
      'UDP 10.0.0.1',
    ])
  })

  it('leaves UDP where the URI says so, and where there is nothing else', () => {
    expect(order([candidate('UDP', 1, true)])).toEqual(['UDP 10.0.0.1'])
    expect(order([candidate('UDP', 1)], false)).toEqual(['UDP 10.0.0.1'])
  })
})
