/** A registrar with clock, store and listeners (RFC 3261 §10.3 steps 7 and 8, RFC 3680, RFC 5626 §5.3). */
import { describe, expect, it } from 'vitest'
import { Scenario } from '../fixtures/scenario'
import { type BindingStore, Registrar, type RegistrarOptions, type StoredBinding } from './registrar'

class Store implements BindingStore {
  readonly kept = new Map<string, readonly StoredBinding[]>()
  isBroken = false
  saves = 0
  waits: Promise<void> | undefined

  async load(): Promise<Iterable<StoredBinding>> {
    return [...this.kept.values()].flat()
  }

  async save(aor: string, bindings: readonly StoredBinding[]): Promise<void> {
    this.saves += 1
    await this.waits
    if (this.isBroken) throw new Error('disk full')
    if (bindings.length === 0) this.kept.delete(aor)
    else this.kept.set(aor, bindings)
  }
}

async function world(options: RegistrarOptions = {}) {
  const scenario = new Scenario()
  const listen = (host: number) => [`udp://10.0.0.${host}:5060`, `tcp://10.0.0.${host}:5060`]
  const server = await scenario.stack('server', { listen: listen(1) })
  const phone = await scenario.stack('phone', { listen: listen(2) })
  const events: string[] = []
  const onChange = ({ event }: { readonly event: string }) => events.push(event)
  const registrar = new Registrar({ clock: scenario.clock, onChange, ...options })
  server.method('REGISTER', registrar.handle)
  registrar.watch(server)
  const ask = async (contact: string, callId = 'a', cseq = 1, uri = 'sip:10.0.0.1') => {
    const aor = '<sip:alice@10.0.0.1>'
    const headers = [['Supported', 'outbound']] as const
    const init = { method: 'REGISTER', uri, from: aor, to: aor, callId, cseq, contact, headers }
    return (await scenario.settle(phone.request(init))).status
  }
  return { scenario, registrar, events, ask }
}

describe('a registrar', () => {
  it('registers, tells of changes, clears away what expires, and leaves no timer', async () => {
    const { scenario, registrar, events, ask } = await world()
    expect(await ask('<sip:alice@10.0.0.2>;expires=60')).toBe(200)
    expect(registrar.lookup('alice@10.0.0.1')).toHaveLength(1)
    await scenario.pass(62_000)
    expect([registrar.size, events]).toEqual([0, ['registered', 'expired']])
    await scenario.settle(Promise.all(scenario.stacks.map((stack) => stack.close({ graceMs: 0 }))))
    expect(scenario.clock.nextWakeMs()).toBe(Number.POSITIVE_INFINITY)
  })

  it('answers when the store has it, and finds it again after a restart by the wall clock', async () => {
    const store = new Store()
    const { scenario, ask } = await world({ store })
    expect(await ask('<sip:alice@10.0.0.2>;expires=600')).toBe(200)
    expect(store.kept.get('alice@10.0.0.1')?.[0]?.expiresAtMs).toBeGreaterThan(scenario.clock.wallMs())
    await scenario.pass(100_000)
    const next = new Registrar({ clock: scenario.clock, store })
    await next.load()
    const [binding] = next.lookup('alice@10.0.0.1')
    const left = (binding?.expiresAtMs ?? 0) - scenario.clock.monotonicMs()
    expect(left).toBeGreaterThan(490_000)
    expect(left).toBeLessThanOrEqual(500_000)
    next.close()
  })

  it('RFC 3261 §10.3 step 7: a store that fails makes it 500, and nothing is changed', async () => {
    const store = new Store()
    const { registrar, events, ask } = await world({ store })
    await ask('<sip:alice@10.0.0.2>;expires=600;q=0.5')
    store.isBroken = true
    expect(await ask('<sip:alice@10.0.0.2>;expires=0', 'a', 2)).toBe(500)
    expect(await ask('<sip:alice@10.0.0.2>;expires=900;q=0.9', 'a', 3)).toBe(500)
    expect(await ask('<sip:alice@10.0.0.3>', 'a', 4)).toBe(500)
    expect(registrar.lookup('alice@10.0.0.1').map(({ uri, q, cseq }) => [uri, q, cseq])).toEqual([
      ['sip:alice@10.0.0.2', 0.5, 1],
    ])
    store.isBroken = false
    expect(await ask('<sip:alice@10.0.0.2>;expires=0', 'a', 5)).toBe(200)
    expect([store.kept.size, events]).toEqual([0, ['registered', 'unregistered']])
  })

  it('takes the requests for one address of record in turn', async () => {
    const store = new Store()
    let go = () => {}
    store.waits = new Promise((resolve) => {
      go = resolve
    })
    const { scenario, registrar, ask } = await world({ store })
    const answers = Promise.all([ask('<sip:a@10.0.0.2>', 'a'), ask('<sip:b@10.0.0.2>', 'b')])
    await scenario.pass(100)
    expect([store.saves, registrar.size]).toEqual([1, 1])
    go()
    expect(await answers).toEqual([200, 200])
    expect(store.kept.get('alice@10.0.0.1')).toHaveLength(2)
  })

  it('RFC 5626 §5.3: forgets a flow that closes, in the store too', async () => {
    const store = new Store()
    const { scenario, registrar, events, ask } = await world({ store })
    await ask('<sip:alice@10.0.0.2>;+sip.instance="<urn:uuid:1>";reg-id=1', 'a', 1, 'sip:10.0.0.1;transport=tcp')
    expect(registrar.size).toBe(1)
    scenario.network.resetStreams('10.0.0.1', '10.0.0.2')
    await scenario.pass(100)
    expect([registrar.size, store.kept.size, events]).toEqual([0, 0, ['registered', 'deactivated']])
  })
})
