import { type Binding, BindingTable } from '@carillon/sip-transaction'
import { describe, expect, it } from 'vitest'
import { bindingTarget } from './targets'

function binding(uri: string, transport: string, address: string, port: number, path: readonly string[] = []): Binding {
  const table = new BindingTable()
  const receivedFrom = { transport, address, port }
  table.restore(
    {
      aor: '1001@example.com',
      uri,
      params: new Map(),
      expiresAtMs: 1_000,
      q: 1,
      callId: 'c',
      cseq: 1,
      path,
      receivedFrom,
      flowId: 7,
      userAgent: undefined,
    },
    0,
  )
  return table.lookup('1001@example.com', 0)[0] as Binding
}

const open = () => true
const closed = () => false

describe('bindingTarget', () => {
  it('RFC 3261 §16.6: sends to the Contact of a phone that is where it says', () => {
    const target = bindingTarget(binding('sip:1001@192.0.2.5:5070', 'UDP', '192.0.2.5', 40_000), open)
    expect(String(target.uri)).toBe('sip:1001@192.0.2.5:5070')
    expect(target.destination).toBeUndefined()
  })

  it('RFC 3581: sends to where the registration came from when the Contact names another address', () => {
    const target = bindingTarget(binding('sip:1001@10.0.0.5:5060', 'UDP', '192.0.2.5', 40_000), closed)
    expect(String(target.uri)).toBe('sip:1001@10.0.0.5:5060')
    expect(target.destination).toEqual({ transport: 'UDP', address: '192.0.2.5', port: 40_000, flowId: 7 })
  })

  it('RFC 3261 §19.1.1: sends to no third party that the Contact names as maddr', () => {
    const target = bindingTarget(binding('sip:1001@192.0.2.5;maddr=198.51.100.1', 'UDP', '192.0.2.5', 5060), closed)
    expect(target.destination).toMatchObject({ address: '192.0.2.5', port: 5060 })
  })

  it('keeps to the connection that the registration came on while it is open', () => {
    const own = binding('sip:1001@192.0.2.5:5070;transport=tcp', 'TCP', '192.0.2.5', 40_000)
    expect(bindingTarget(own, open).destination).toMatchObject({ flowId: 7 })
    expect(bindingTarget(own, closed).destination).toBeUndefined()
  })

  it('RFC 3327 §5.4: goes through the proxies of the Path', () => {
    const target = bindingTarget(
      binding('sip:1001@10.0.0.5', 'UDP', '192.0.2.5', 5060, ['<sip:edge.example.com;lr>']),
      open,
    )
    expect(target.routes).toEqual(['<sip:edge.example.com;lr>'])
  })
})
