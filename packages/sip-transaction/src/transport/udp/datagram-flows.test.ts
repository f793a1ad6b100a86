import { describe, expect, it } from 'vitest'
import { DatagramFlows, UdpFlow } from './datagram-flows'

const local = { transport: 'UDP', address: '127.0.0.1', port: 5060 }
const owner = { local, isOpen: true }
const flow = (id: number, address = '192.0.2.1') => new UdpFlow(id, { transport: 'UDP', address, port: id }, owner)

describe('DatagramFlows', () => {
  it('remembers as many flows as it may, and no more', () => {
    const flows = new DatagramFlows(100)
    for (let id = 1; id <= 100_000; id++) flows.add(flow(id % 60_000, `10.0.${id % 7}.${id % 251}`))
    expect(flows.size).toBeLessThanOrEqual(100)
  })

  it('keeps a flow in use through a flood of others', () => {
    const flows = new DatagramFlows(100)
    const used = flow(1, '192.0.2.9')
    flows.add(used)
    for (let id = 2; id < 10_000; id++) {
      flows.add(flow(id))
      if (id % 40 === 0) expect(flows.find('192.0.2.9', 1)).toBe(used)
    }
    expect(flows.find('192.0.2.1', 2)).toBeUndefined()
    expect(flows.find('192.0.2.1', 9_999)).toBeDefined()
  })

  it('lists and clears what it remembers', () => {
    const flows = new DatagramFlows(4)
    for (const id of [1, 2, 3]) flows.add(flow(id))
    expect([...flows.values()].map(({ id }) => id).sort()).toEqual([1, 2, 3])
    flows.clear()
    expect(flows.size).toBe(0)
  })

  it('a flow is open as long as its socket is', () => {
    const changing = { local, isOpen: true }
    const one = new UdpFlow(1, { transport: 'UDP', address: '192.0.2.1', port: 1 }, changing)
    expect([one.isOpen, one.isReliable, one.isSecure, one.transport, one.local]).toEqual([
      true,
      false,
      false,
      'UDP',
      local,
    ])
    changing.isOpen = false
    expect(one.isOpen).toBe(false)
  })
})
