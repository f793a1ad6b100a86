/** The registrar beyond RFC 3261: outbound (RFC 5626), GRUUs (RFC 5627), Service-Route (RFC 3608), events (RFC 3680). */
import { createRequest, type HeaderInit, parseUri, SipUri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing/seeded-random'
import { type BindingChange, BindingTable, type BindingTableOptions, type RegisterResult } from './binding-table'

const aor = 'alice@example.com'
const instance = 'urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6'

interface Sent {
  readonly contacts?: readonly string[]
  readonly callId?: string
  readonly cseq?: number
  readonly vias?: number
  readonly supported?: string
  readonly headers?: readonly HeaderInit[]
  readonly flowId?: number
  readonly transport?: string
  readonly atMs?: number
}

class Office {
  readonly table: BindingTable
  private lastCseq = 0

  constructor(options: BindingTableOptions = {}) {
    this.table = new BindingTable(options)
  }

  register(sent: Sent): RegisterResult {
    const { contacts = [], callId = 'call', vias = 1, supported = 'outbound, path', headers = [], atMs = 0 } = sent
    this.lastCseq += 1
    const message = createRequest({
      method: 'REGISTER',
      uri: 'sip:example.com',
      headers: [
        ...Array.from(
          { length: vias },
          (_, index) => ['Via', `SIP/2.0/TCP 192.0.2.${index};branch=z9hG4bK${index}`] as const,
        ),
        ['To', '<sip:alice@example.com>'],
        ['From', '<sip:alice@example.com>;tag=1'],
        ['Call-ID', callId],
        ['CSeq', `${sent.cseq ?? this.lastCseq} REGISTER`],
        ['Supported', supported],
        ...contacts.map((contact) => ['Contact', contact] as const),
        ...headers,
      ],
    })
    const source = { flowId: sent.flowId ?? 1, transport: sent.transport ?? 'TCP', address: '192.0.2.1', port: 40_000 }
    return this.table.apply({ message, source }, atMs)
  }
}

const flow = (regId: number | string, host = '10.0.0.1', of = instance) =>
  `<sip:alice@${host};transport=tcp>;+sip.instance="<${of}>";reg-id=${regId}`
const uriOf = (text: string): SipUri => {
  const parsed = parseUri(text)
  if (!parsed.ok || !(parsed.value instanceof SipUri)) throw new Error(text)
  return parsed.value
}
const header = (result: RegisterResult, name: string) =>
  result.headers.filter(([key]) => key === name).map(([, value]) => String(value))

describe('outbound', () => {
  it('RFC 5626 §6: two flows of one device are two bindings, and the answer requires outbound', () => {
    const office = new Office()
    const first = office.register({ contacts: [flow(1)], flowId: 1 })
    expect(header(first, 'Require')).toEqual(['outbound'])
    office.register({ contacts: [flow(2)], callId: 'other', flowId: 2 })
    expect(office.table.lookup(aor, 0).map(({ regId, flowId }) => [regId, flowId])).toEqual([
      [2, 2],
      [1, 1],
    ])
  })

  it('RFC 5626 §6: the same instance and reg-id replace, whatever URI and Call-ID they come with', () => {
    const office = new Office()
    office.register({ contacts: [flow(1)], flowId: 1, cseq: 50 })
    const again = office.register({ contacts: [flow(1, '10.9.9.9')], flowId: 8, callId: 'after-reboot', cseq: 1 })
    expect(again.changes.map(({ kind }) => kind)).toEqual(['refreshed'])
    expect(office.table.lookup(aor, 0).map(({ uri, flowId }) => [uri, flowId])).toEqual([
      ['sip:alice@10.9.9.9;transport=tcp', 8],
    ])
  })

  it('RFC 5626 §6: without the option tag, the instance or a reg-id above 0, RFC 3261 alone counts', () => {
    for (const sent of [
      { contacts: [flow(1)], supported: 'path' },
      { contacts: ['<sip:alice@10.0.0.1;transport=tcp>;reg-id=1'] },
      { contacts: [flow(0)] },
      { contacts: [flow('99999999999999999999')] },
    ]) {
      const office = new Office()
      const result = office.register(sent)
      expect([result.status, header(result, 'Require'), result.bindings[0]?.regId]).toEqual([200, [], undefined])
    }
    expect(new Office({ outbound: false }).register({ contacts: [flow(1)] }).bindings[0]?.regId).toBeUndefined()
  })

  it('RFC 5626 §6: 439 when whoever took the request does not keep the flow, and 200 when it says ob', () => {
    const office = new Office()
    expect(office.register({ contacts: [flow(1)], vias: 2 }).status).toBe(439)
    const path = (value: string): HeaderInit => ['Path', value]
    expect(office.register({ contacts: [flow(1)], vias: 2, headers: [path('<sip:edge;lr>')] }).status).toBe(439)
    const between = [path('<sip:core;lr>'), path('<sip:token@edge;lr;ob>')]
    expect(office.register({ contacts: [flow(1)], vias: 3, headers: between }).status).toBe(200)
    expect(office.table.size).toBe(1)
  })

  it('RFC 5626 §6: one flow in one request', () => {
    const office = new Office()
    expect(office.register({ contacts: [flow(1), flow(2)] }).status).toBe(400)
    expect(office.register({ contacts: [flow(1), '<sip:alice@10.0.0.9>'] }).status).toBe(400)
    office.register({ contacts: [flow(1)] })
    expect(office.register({ contacts: [flow(2), `${flow(1)};expires=0`] }).bindings.map(({ regId }) => regId)).toEqual(
      [2],
    )
  })

  it('a device that learns outbound takes its old contact along', () => {
    const office = new Office()
    office.register({ contacts: ['<sip:alice@10.0.0.1;transport=tcp>'] })
    office.register({ contacts: [flow(1)], callId: 'new' })
    expect(office.table.lookup(aor, 0).map(({ regId }) => regId)).toEqual([1])
  })

  it('RFC 5626 §5.3: with a connection go its outbound bindings, and no others', () => {
    const office = new Office()
    office.register({ contacts: [flow(1)], flowId: 1 })
    office.register({ contacts: [flow(2)], callId: 'b', flowId: 2 })
    office.register({ contacts: ['<sip:alice@10.0.0.7>'], callId: 'c', flowId: 2 })
    office.register({ contacts: [flow(3)], callId: 'd', flowId: 2, headers: [['Path', '<sip:edge;lr;ob>']] })
    // Its flow has moved on.
    office.register({ contacts: [flow(1)], flowId: 2 })
    expect(office.table.removeFlow(1)).toEqual([])
    const gone = office.table.removeFlow(2)
    expect(gone.map(({ event, binding }) => [event, binding.regId])).toEqual([
      ['deactivated', 2],
      ['deactivated', 1],
    ])
    expect(office.table.removeFlow(2)).toEqual([])
    expect(office.table.lookup(aor, 0)).toHaveLength(2)
  })
})

describe('GRUUs', () => {
  const gruu = { secret: new Uint8Array(32).fill(7), random: new SeededRandom(1) }
  const asks = { contacts: [flow(1)], supported: 'gruu, outbound' }
  const urisOf = (result: RegisterResult) => {
    const [contact = ''] = header(result, 'Contact')
    return {
      pub: uriOf(/pub-gruu="([^"]+)"/.exec(contact)?.[1] ?? ''),
      temp: uriOf(/temp-gruu="([^"]+)"/.exec(contact)?.[1] ?? ''),
    }
  }

  it('RFC 5627 §5.2: are told to devices that support them, a new temporary one each time', () => {
    const office = new Office({ gruu })
    const first = urisOf(office.register(asks))
    expect(first.pub.toString()).toBe(`sip:alice@example.com;gr=${instance}`)
    expect(first.temp.toString()).toMatch(/^sip:tgruu\.[\w-]{35}@example\.com;gr$/)
    const second = urisOf(office.register(asks))
    expect(second.temp.toString()).not.toBe(first.temp.toString())
    expect(header(office.register({ contacts: [flow(1)] }), 'Contact')[0]).not.toContain('gruu')
    expect(header(new Office().register(asks), 'Contact')[0]).not.toContain('gruu')
  })

  it('RFC 5627 §5.5: lead to their device alone, all temporary ones of a registration', () => {
    const office = new Office({ gruu })
    office.register({ contacts: [flow(1, '10.0.0.2', 'urn:uuid:other')], callId: 'other', supported: 'gruu, outbound' })
    const first = urisOf(office.register(asks))
    const second = urisOf(office.register(asks))
    for (const uri of [first.pub, first.temp, second.temp])
      expect(office.table.lookup(uri, 0).map((binding) => binding.instance)).toEqual([instance])
    expect(office.table.lookup(uriOf('sip:alice@EXAMPLE.com'), 0)).toHaveLength(2)
  })

  it('RFC 5627 §5.4: temporary ones end with the Call-ID of the registration, and with the registration', () => {
    const office = new Office({ gruu })
    const old = urisOf(office.register(asks))
    const fresh = urisOf(office.register({ ...asks, callId: 'after-reboot' }))
    expect(office.table.lookup(old.temp, 0)).toEqual([])
    expect(office.table.lookup(fresh.temp, 0)).toHaveLength(1)
    office.register({ contacts: [`${flow(1)};expires=0`], callId: 'after-reboot' })
    expect([office.table.lookup(fresh.temp, 0), office.table.lookup(fresh.pub, 0)]).toEqual([[], []])
  })

  it('forged, cut and foreign ones lead nowhere', () => {
    const office = new Office({ gruu })
    const { temp } = urisOf(office.register(asks))
    const { user = '' } = temp
    const other = new Office({ gruu: { ...gruu, secret: new Uint8Array(32).fill(8) } })
    other.register(asks)
    expect(other.table.lookup(temp, 0)).toEqual([])
    for (let at = 6; at < user.length; at += 1) {
      const forged = `${user.slice(0, at)}${user[at] === 'A' ? 'B' : 'A'}${user.slice(at + 1)}`
      // The last character has two bits that say nothing.
      if (at < user.length - 1) expect(office.table.lookup(temp.with({ user: forged }), 0)).toEqual([])
      expect(office.table.lookup(temp.with({ user: user.slice(0, at) }), 0)).toEqual([])
    }
    expect(office.table.lookup(uriOf('sip:alice@example.com;gr'), 0)).toEqual([])
    expect(office.table.lookup(uriOf(`sip:bob@example.com;gr=${instance}`), 0)).toEqual([])
  })

  it('RFC 5627 §5.1: a contact that is a GRUU of the same domain is refused', () => {
    const office = new Office({ gruu })
    const { pub } = urisOf(office.register(asks))
    expect(office.register({ contacts: [`<${pub}>`], callId: 'x' }).status).toBe(403)
  })

  it('parameters that only a registrar gives are not taken from a device', () => {
    const office = new Office({ gruu })
    office.register({ contacts: [`${flow(1)};pub-gruu="sip:bob@example.com;gr=1";temp-gruu="sip:x@y;gr"`] })
    expect([...(office.table.lookup(aor, 0)[0]?.params ?? [])]).toEqual([])
  })
})

describe('what else a registrar says', () => {
  it('RFC 3608 §6.3: Service-Route in each 200', () => {
    const serviceRoutes = ['<sip:orig@core.example.com;lr>', '<sip:home;lr>']
    const office = new Office({ serviceRoutes })
    expect(header(office.register({ contacts: [flow(1)] }), 'Service-Route')).toEqual(serviceRoutes)
    expect(header(office.register({}), 'Service-Route')).toEqual(serviceRoutes)
    expect(header(office.register({ contacts: ['*'] }), 'Service-Route')).toEqual([])
  })

  it('RFC 3680 §4.1: says what happened to a contact in the words of the event package', () => {
    const office = new Office()
    const events = (result: RegisterResult) => result.changes.map(({ event }) => event)
    expect(events(office.register({ contacts: ['<sip:a@h>;expires=600'] }))).toEqual(['registered'])
    expect(events(office.register({ contacts: ['<sip:b@h>;expires=600'] }))).toEqual(['created'])
    expect(events(office.register({ contacts: ['<sip:b@h>;expires=700'] }))).toEqual(['refreshed'])
    expect(events(office.register({ contacts: ['<sip:b@h>;expires=60'] }))).toEqual(['shortened'])
    expect(events(office.register({ contacts: ['<sip:a@h>;expires=0'] }))).toEqual(['unregistered'])
    const out: BindingChange[] = []
    office.table.expire(60_000, out)
    expect(out.map(({ event }) => event)).toEqual(['expired'])
  })

  it('RFC 3261 §10.3 step 5: sip and sips, ports, parameters and the case of the host name the same user', () => {
    const office = new Office()
    office.register({ contacts: [flow(1)] })
    for (const text of ['sips:alice@example.com', 'sip:alice@EXAMPLE.com:5070;user=phone', 'sip:%61lice@example.com'])
      expect(office.table.lookup(uriOf(text), 0)).toHaveLength(1)
    expect(office.table.lookup(uriOf('sip:Alice@example.com'), 0)).toHaveLength(0)
  })
})
