/** The transports of the stack under the transport contract: over loopback, and in memory. */
import { networkInterfaces } from 'node:os'
import {
  createNodeRandom,
  defaultTransportLimits,
  silentLogger,
  type TransportFactory,
} from '@carillon/sip-transaction'
import { FakeClock, MemoryNetwork } from '@carillon/sip-transaction/testing'
import { describe, expect, it } from 'vitest'
import { BuiltinTransports } from '../../packages/sip-transaction/src/transport/builtin-transports'
import { TestAuthority } from '../support/certificates'
import { describeTransport, RecordingSink, type TransportWorld } from './transport-suite'

const authority = await TestAuthority.create()
const own = await authority.issue({ dns: ['example.com'], addresses: ['127.0.0.1', '::1'] })
const { factories } = new BuiltinTransports({ tls: { ca: authority.cert, ...own }, random: createNodeRandom() })

function overLoopback(factory: TransportFactory, address: string, foreignAddress: string): TransportWorld {
  const clock = new FakeClock()
  return {
    factory,
    address,
    foreignAddress,
    clock,
    context: { clock, logger: silentLogger, limits: defaultTransportLimits },
    step: () => new Promise((resolve) => setImmediate(resolve)),
    end: async () => {
      expect(clock.pending).toBe(0)
    },
  }
}

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === '::1'))

describe.each(factories)('$scheme', (factory) => {
  describeTransport(`${factory.scheme} over 127.0.0.1`, () => overLoopback(factory, '127.0.0.1', '::1'))

  describe.runIf(hasIpv6)('with IPv6', () => {
    describeTransport(`${factory.scheme} over ::1`, () => overLoopback(factory, '::1', '127.0.0.1'))

    it('leaves the same port of IPv4 alone when it listens on ::', async () => {
      const world = overLoopback(factory, '::', '127.0.0.1')
      const context = { ...world.context, nextFlowId: () => 1 }
      const six = await factory.listen('::', 0, new RecordingSink(), context)
      const four = await factory.listen('0.0.0.0', six.local.port, new RecordingSink(), context)
      await Promise.all([six.close(), four.close()])
      expect(four.local.port).toBe(six.local.port)
    })
  })

  it.each([
    ['192.0.2.1', 'ADDRESS_NOT_AVAILABLE'],
    ['localhost', 'ADDRESS_NOT_AVAILABLE'],
  ])('refuses to listen on %s with %s', async (address, code) => {
    const world = overLoopback(factory, address, '::1')
    const context = { ...world.context, nextFlowId: () => 1 }
    await expect(factory.listen(address, 0, new RecordingSink(), context)).rejects.toMatchObject({ code })
  })
})

describe.each([
  ['memory datagrams', { scheme: 'udp', transportName: 'UDP', isReliable: false }],
  ['memory connections', { scheme: 'tcp', transportName: 'TCP', isReliable: true }],
])('%s', (name, kind) => {
  describeTransport(name, () => {
    const clock = new FakeClock()
    return {
      factory: new MemoryNetwork({ clock }).factory(kind),
      address: '192.0.2.1',
      foreignAddress: '2001:db8::1',
      clock,
      context: { clock, logger: silentLogger, limits: defaultTransportLimits },
      step: () => clock.advance(1),
      end: async () => {},
    }
  })
})
