import { describe, expect, it } from 'vitest'
import { Binding } from './binding'
import { bindingTarget, oneFlowPerDevice } from './binding-target'

function binding(
  uri: string,
  transport: string,
  address: string,
  port: number,
  path: readonly string[] = [],
  flow: { readonly instance: string; readonly regId: number } | undefined = undefined,
): Binding {
  return new Binding({
    id: 1,
    aor: '1001@example.com',
    uri,
    params: new Map(),
    expiresAtMs: 1_000,
    q: 1,
    callId: 'c',
    cseq: 1,
    path,
    receivedFrom: { transport, address, port },
    flowId: 7,
    userAgent: undefined,
    instance: flow?.instance,
    regId: flow?.regId,
  })
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

  it('RFC 5626 §5.3: an outbound contact is reached by its flow alone, so that a flow that is gone fails', () => {
    const own = binding('sip:1001@192.0.2.5;transport=tcp', 'TCP', '192.0.2.5', 40_000, [], { instance: 'i', regId: 1 })
    expect(bindingTarget(own, closed).destination).toMatchObject({ flowId: 7 })
  })

  it('RFC 5626 §7: a device with several flows is one target', () => {
    const flow = (instance: string, regId: number) =>
      binding('sip:1001@192.0.2.5', 'UDP', '192.0.2.5', 5060, [], { instance, regId })
    const plain = binding('sip:1001@192.0.2.9', 'UDP', '192.0.2.9', 5060)
    const all = [flow('a', 2), flow('b', 1), flow('a', 1), plain]
    expect(oneFlowPerDevice(all)).toEqual([all[0], all[1], plain])
    expect(all.map((one) => bindingTarget(one, open).instance)).toEqual(['a', 'b', 'a', undefined])
  })
})
