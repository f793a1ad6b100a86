import { describe, expect, it } from 'vitest'
import type { Flow } from '../ports'
import { FlowTable } from './flow-table'

function flow(id: number, isReliable: boolean, isOpen = true): Flow {
  const transport = isReliable ? 'TCP' : 'UDP'
  const remote = { transport, address: '192.0.2.1', port: id }
  const local = { transport, address: '192.0.2.2', port: 5060 }
  return { id, transport, isReliable, isSecure: false, remote, local, isOpen }
}

describe('FlowTable', () => {
  it('finds open flows by id', () => {
    const table = new FlowTable({ datagramFlowsMax: 10 })
    const tcp = flow(1, true)
    const udp = flow(2, false)
    table.add(tcp)
    table.add(udp)
    table.add(udp)
    expect(table.get(1)).toBe(tcp)
    expect(table.get(2)).toBe(udp)
    expect(table.get(3)).toBeUndefined()
    expect(table.size).toBe(2)
    expect([...table.values()]).toEqual([tcp, udp])
  })

  it('does not hand out a flow that has closed', () => {
    const table = new FlowTable({ datagramFlowsMax: 10 })
    table.add(flow(1, true, false))
    expect(table.get(1)).toBeUndefined()
  })

  it('forgets what closes', () => {
    const table = new FlowTable({ datagramFlowsMax: 10 })
    const flows = [flow(1, true), flow(2, false)]
    for (const one of flows) table.add(one)
    for (const one of flows) table.delete(one)
    expect(table.size).toBe(0)
  })

  it('bounds datagram flows, the oldest going first, and never drops a connection for them', () => {
    const table = new FlowTable({ datagramFlowsMax: 3 })
    table.add(flow(1, true))
    for (let id = 2; id < 100; id++) table.add(flow(id, false))
    expect(table.size).toBe(4)
    expect(table.get(1)).toBeDefined()
    expect(table.get(96)).toBeUndefined()
    expect(table.get(97)).toBeDefined()
  })
})
