import { createRequest, type HeaderInit, type SipRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import type { Binding } from './binding'
import { type BindingChange, BindingTable, type RegisterInput, type RegisterResult } from './binding-table'

const aor = 'sip:alice@example.com'
const address = { transport: 'UDP', address: '203.0.113.5', port: 40_000 }
const source: RegisterInput['source'] = { flowId: 7, ...address }

interface Registration {
  readonly contacts?: readonly string[]
  readonly callId?: string
  readonly cseq?: number
  readonly expires?: number
  readonly headers?: readonly HeaderInit[]
}

function save(
  table: BindingTable,
  key: string,
  message: SipRequest,
  from: RegisterInput['source'],
  nowMs: number,
): RegisterResult {
  return table.apply({ message, source: from }, nowMs, key)
}

function register({ contacts = [], callId = 'call', cseq = 1, expires, headers = [] }: Registration): SipRequest {
  return createRequest({
    method: 'REGISTER',
    uri: 'sip:example.com',
    headers: [
      ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1'],
      ['To', `<${aor}>`],
      ['From', `<${aor}>;tag=1`],
      ['Call-ID', callId],
      ['CSeq', `${cseq} REGISTER`],
      ...contacts.map((contact) => ['Contact', contact] as const),
      ...(expires === undefined ? [] : [['Expires', expires] as const]),
      ...headers,
    ],
  })
}

const contactsOf = (headers: readonly HeaderInit[]) =>
  headers.filter(([name]) => name === 'Contact').map(([, value]) => String(value))
const textsOf = (bindings: readonly Binding[]) => bindings.map(({ uri }) => uri)

describe('registering', () => {
  it('binds a contact with what is needed to reach it', () => {
    const table = new BindingTable()
    const contact =
      '<sip:alice@10.0.0.1:5060;transport=udp>;q=0.5;expires=120;+sip.instance="<urn:uuid:1>";reg-id=2;audio'
    const headers: HeaderInit[] = [
      ['User-Agent', 'Phone/1'],
      ['Path', '<sip:p1.example.com;lr>'],
      ['Supported', 'outbound'],
    ]
    const result = save(table, aor, register({ contacts: [contact], callId: 'x', cseq: 5, headers }), source, 1_000)
    expect(result.status).toBe(200)
    expect(result.changes.map(({ kind }) => kind)).toEqual(['added'])
    const [binding] = table.lookup(aor, 1_000) as [Binding]
    expect(binding).toMatchObject({
      aor,
      callId: 'x',
      cseq: 5,
      q: 0.5,
      expiresAtMs: 121_000,
      flowId: 7,
      userAgent: 'Phone/1',
    })
    expect(binding.contact.toString()).toBe('sip:alice@10.0.0.1:5060;transport=udp')
    expect(binding.receivedFrom).toEqual(address)
    expect([binding.instance, binding.regId, binding.params.get('audio')]).toEqual(['urn:uuid:1', 2, null])
    expect(binding.path).toEqual(['<sip:p1.example.com;lr>'])
  })

  it('RFC 3261 §10.3 step 8: answers with every contact, what is left of its time, and with the Path (RFC 3327 §5.3)', () => {
    const table = new BindingTable()
    save(table, aor, register({ contacts: ['<sip:a@10.0.0.1>;expires=100;+sip.instance="<urn:x>"'] }), source, 0)
    const path: HeaderInit[] = [['Path', '<sip:p1.example.com;lr>']]
    const result = save(
      table,
      aor,
      register({ contacts: ['<sip:b@10.0.0.2>;q=0.2'], expires: 300, cseq: 2, headers: path }),
      source,
      30_500,
    )
    expect(contactsOf(result.headers)).toEqual([
      '<sip:a@10.0.0.1>;+sip.instance="<urn:x>";expires=70',
      '<sip:b@10.0.0.2>;q=0.2;expires=300',
    ])
    expect(result.headers).toContainEqual(['Path', '<sip:p1.example.com;lr>'])
  })

  it('RFC 3261 §10.2.3: without Contact it lists and changes nothing', () => {
    const table = new BindingTable()
    save(table, aor, register({ contacts: ['<sip:a@10.0.0.1>'] }), source, 0)
    const result = save(table, aor, register({ cseq: 0 }), source, 0)
    expect([result.status, result.bindings.length, result.changes]).toEqual([200, 1, []])
    expect(save(table, 'sip:nobody@example.com', register({}), source, 0)).toMatchObject({ status: 200, bindings: [] })
    expect(table.aorCount).toBe(1)
  })

  it('lifetimes: parameter before header before default, never above the maximum', () => {
    const table = new BindingTable({ registrationSecondsDefault: 600, registrationSecondsMax: 3_600 })
    const seconds = (registration: Registration) => {
      const result = save(table, aor, register(registration), source, 0)
      return (Number(result.bindings[0]?.expiresAtMs) || 0) / 1_000
    }
    expect(seconds({ contacts: ['<sip:a@h>;expires=90'], expires: 200, cseq: 1 })).toBe(90)
    expect(seconds({ contacts: ['<sip:a@h>'], expires: 200, cseq: 2 })).toBe(200)
    expect(seconds({ contacts: ['<sip:a@h>'], cseq: 3 })).toBe(600)
    expect(seconds({ contacts: ['<sip:a@h>'], expires: 4_294_967_295, cseq: 4 })).toBe(3_600)
  })

  it('RFC 3261 §10.3 step 7: 423 with Min-Expires for what is too brief, and nothing is changed', () => {
    const table = new BindingTable({ registrationSecondsMin: 60 })
    const result = save(
      table,
      aor,
      register({ contacts: ['<sip:a@h>;expires=600', '<sip:b@h>;expires=59'] }),
      source,
      0,
    )
    expect(result).toMatchObject({ status: 423, headers: [['Min-Expires', 60]], bindings: [], changes: [] })
    expect(table.size).toBe(0)
    const long = new BindingTable({ registrationSecondsMin: 7_200 })
    expect(save(long, aor, register({ contacts: ['<sip:a@h>;expires=3600'] }), source, 0).status).toBe(200)
  })
})

describe('refreshing and removing', () => {
  it('a refresh replaces flow, time and Call-ID of the same contact', () => {
    const table = new BindingTable()
    save(table, aor, register({ contacts: ['<sip:a@10.0.0.1>'], expires: 100 }), source, 0)
    const moved = { ...source, flowId: 9, port: 50_000 }
    const result = save(
      table,
      aor,
      register({ contacts: ['<sip:a@10.0.0.1>'], expires: 100, callId: 'reboot', cseq: 1 }),
      moved,
      50_000,
    )
    expect(result.changes.map(({ kind }) => kind)).toEqual(['refreshed'])
    expect(table.size).toBe(1)
    expect(table.lookup(aor, 120_000)[0]).toMatchObject({ flowId: 9, callId: 'reboot', receivedFrom: { port: 50_000 } })
  })

  it('RFC 3261 §19.1.4: contacts are compared as URIs, not as text', () => {
    const table = new BindingTable()
    save(table, aor, register({ contacts: ['<sip:%61lice@EXAMPLE.com;Transport=TCP>'] }), source, 0)
    save(table, aor, register({ contacts: ['<sip:alice@example.com;transport=tcp>'], cseq: 2 }), source, 0)
    expect(table.size).toBe(1)
    save(
      table,
      aor,
      register({ contacts: ['<sip:alice@example.com>', '<sip:Alice@example.com;transport=tcp>'], cseq: 3 }),
      source,
      0,
    )
    expect(table.size).toBe(3)
  })

  it('RFC 3261 §10.3 step 7: an older or repeated CSeq of the same Call-ID fails, and changes nothing', () => {
    const table = new BindingTable()
    save(table, aor, register({ contacts: ['<sip:a@h>'], cseq: 5 }), source, 0)
    for (const cseq of [4, 5]) {
      const result = save(table, aor, register({ contacts: ['<sip:new@h>', '<sip:a@h>;expires=0'], cseq }), source, 0)
      expect([result.status, result.changes, textsOf(result.bindings)]).toEqual([500, [], ['sip:a@h']])
    }
    const all = save(table, aor, register({ contacts: ['*'], expires: 0, cseq: 5 }), source, 0)
    expect([all.status, table.size]).toEqual([500, 1])
  })

  it('expires 0 removes one contact, and one that is not there without complaint', () => {
    const table = new BindingTable()
    save(table, aor, register({ contacts: ['<sip:a@h>', '<sip:b@h>'] }), source, 0)
    const result = save(
      table,
      aor,
      register({ contacts: ['<sip:a@h>;expires=0', '<sip:c@h>;expires=0'], cseq: 2 }),
      source,
      0,
    )
    expect(result.changes.map(({ kind, binding }) => [kind, binding.uri])).toEqual([['removed', 'sip:a@h']])
    expect(textsOf(result.bindings)).toEqual(['sip:b@h'])
  })

  it('RFC 3261 §10.2.2: * with Expires 0 removes all, whichever device registered them', () => {
    const table = new BindingTable()
    save(table, aor, register({ contacts: ['<sip:a@h>'], callId: 'one' }), source, 0)
    save(table, aor, register({ contacts: ['<sip:b@h>'], callId: 'two', cseq: 9 }), source, 0)
    const result = save(table, aor, register({ contacts: ['*'], expires: 0, callId: 'two', cseq: 10 }), source, 0)
    expect([result.status, result.changes.length, table.size, table.aorCount]).toEqual([200, 2, 0, 0])
    expect(table.deadline()).toBe(Number.POSITIVE_INFINITY)
  })

  it('* with anything else is refused', () => {
    const table = new BindingTable()
    save(table, aor, register({ contacts: ['<sip:a@h>'] }), source, 0)
    const wrong: Registration[] = [
      { contacts: ['*'] },
      { contacts: ['*'], expires: 60 },
      { contacts: ['*', '<sip:b@h>'], expires: 0 },
      { contacts: ['*, <sip:b@h>'], expires: 0 },
    ]
    for (const one of wrong) expect(save(table, aor, register({ ...one, cseq: 2 }), source, 0).status).toBe(400)
    expect(table.size).toBe(1)
  })

  it('a contact named twice in one request counts once, as it is said last', () => {
    const table = new BindingTable()
    const result = save(
      table,
      aor,
      register({ contacts: ['<sip:a@h>;expires=100', '<sip:a@H>;expires=200'] }),
      source,
      0,
    )
    expect(contactsOf(result.headers)).toEqual(['<sip:a@H>;expires=200'])
  })
})

describe('order', () => {
  it('the highest q first, among equals the latest', () => {
    const table = new BindingTable()
    const contacts = ['<sip:low@h>;q=0.1', '<sip:high@h>;q=1', '<sip:mid@h>;q=0.5', '<sip:none@h>']
    save(table, aor, register({ contacts }), source, 0)
    expect(textsOf(table.lookup(aor, 0))).toEqual(['sip:none@h', 'sip:high@h', 'sip:mid@h', 'sip:low@h'])
    save(table, aor, register({ contacts: ['<sip:high@h>;q=1'], cseq: 2 }), source, 0)
    save(table, aor, register({ contacts: ['<sip:low@h>;q=0.6'], cseq: 3 }), source, 0)
    expect(textsOf(table.lookup(aor, 0))).toEqual(['sip:high@h', 'sip:none@h', 'sip:low@h', 'sip:mid@h'])
  })
})

describe('expiry', () => {
  it('tells the next deadline and what expired, in due order', () => {
    const table = new BindingTable()
    save(table, aor, register({ contacts: ['<sip:a@h>;expires=300', '<sip:b@h>;expires=100'] }), source, 0)
    save(table, 'sip:carol@example.com', register({ contacts: ['<sip:c@h>;expires=200'] }), source, 0)
    expect(table.deadline()).toBe(100_000)
    expect(textsOf(table.lookup(aor, 100_000))).toEqual(['sip:a@h'])
    const out: BindingChange[] = []
    table.expire(99_999, out)
    expect(out).toEqual([])
    table.expire(250_000, out)
    expect(out.map(({ kind, binding }) => [kind, binding.uri])).toEqual([
      ['expired', 'sip:b@h'],
      ['expired', 'sip:c@h'],
    ])
    expect([table.size, table.aorCount, table.deadline()]).toEqual([1, 1, 300_000])
  })

  it('a contact past its time is gone even before anybody has expired it', () => {
    const table = new BindingTable({ bindingsPerAorMax: 1 })
    save(table, aor, register({ contacts: ['<sip:a@h>'], expires: 100 }), source, 0)
    const result = save(table, aor, register({ contacts: ['<sip:b@h>'], expires: 100, cseq: 2 }), source, 100_000)
    expect([result.status, textsOf(result.bindings)]).toEqual([200, ['sip:b@h']])
  })
})

describe('caps', () => {
  it('an address of record has a limited number of contacts, all or nothing', () => {
    const table = new BindingTable({ bindingsPerAorMax: 2 })
    expect(save(table, aor, register({ contacts: ['<sip:a@h>', '<sip:b@h>', '<sip:c@h>'] }), source, 0).status).toBe(
      403,
    )
    expect(table.size).toBe(0)
    save(table, aor, register({ contacts: ['<sip:a@h>', '<sip:b@h>'] }), source, 0)
    expect(save(table, aor, register({ contacts: ['<sip:c@h>'], cseq: 2 }), source, 0).status).toBe(403)
    const swap = save(table, aor, register({ contacts: ['<sip:a@h>;expires=0', '<sip:c@h>'], cseq: 3 }), source, 0)
    expect([swap.status, textsOf(swap.bindings).sort()]).toEqual([200, ['sip:b@h', 'sip:c@h']])
  })

  it('the table has a limit: 503 with Retry-After, refreshes still welcome', () => {
    const table = new BindingTable({ bindingsMax: 1 })
    save(table, aor, register({ contacts: ['<sip:a@h>'] }), source, 0)
    const full = save(table, 'sip:bob@example.com', register({ contacts: ['<sip:b@h>'] }), source, 0)
    expect(full).toMatchObject({ status: 503, headers: [['Retry-After', expect.any(Number)]] })
    expect(save(table, aor, register({ contacts: ['<sip:a@h>'], cseq: 2 }), source, 0).status).toBe(200)
  })

  it('oversized or odd contacts are refused, and never thrown at the caller', () => {
    const table = new BindingTable()
    const many = Array.from({ length: 17 }, (_, i) => `<sip:a${i}@h>`)
    expect(save(table, aor, register({ contacts: many }), source, 0).status).toBe(403)
    const wrong: Registration[] = [
      { contacts: [`<sip:a@h;x=${'y'.repeat(2_000)}>`] },
      { contacts: [`<sip:a@h>;x=${'y'.repeat(2_000)}`] },
      { contacts: ['<sip:a@h>'], callId: 'c'.repeat(2_000) },
      { contacts: ['<sip:a@h>'], headers: [['Path', `<sip:${'p'.repeat(2_000)}@h;lr>`]] },
      { contacts: ['<tel:+123>'] },
      { contacts: ['<mailto:a@h>'] },
      { contacts: ['not a contact at all <'] },
      { contacts: ['<sip:a@h>;expires=soon'] },
    ]
    for (const one of wrong) expect(save(table, aor, register(one), source, 0).status).toBe(400)
    expect(table.size).toBe(0)
  })
})

describe('stores', () => {
  it('a binding goes through a store and back', () => {
    const table = new BindingTable()
    const contact = '<sip:a@h>;q=0.3;+sip.instance="<urn:uuid:\\"1\\">";x="a;b=c"'
    save(table, aor, register({ contacts: [contact], headers: [['User-Agent', 'x'.repeat(1_000)]] }), source, 0)
    const [kept] = table.lookup(aor, 0) as [Binding]
    expect(kept.userAgent).toHaveLength(96)
    const other = new BindingTable({ bindingsMax: 1 })
    expect(other.restore(kept.toInit(), 0)).toBe(true)
    expect(other.restore(kept.toInit(), 0)).toBe(true)
    expect(other.size).toBe(1)
    expect(other.lookup(aor, 0)[0]?.toContactText(0)).toBe(kept.toContactText(0))
    expect(other.lookup(aor, 0)[0]?.params).toEqual(kept.params)
    expect(other.restore({ ...kept.toInit(), id: 99, uri: 'sip:b@h' }, 0)).toBe(false)
    expect(other.restore(kept.toInit(), kept.expiresAtMs)).toBe(false)
  })

  it('an administrator may remove a binding, once', () => {
    const table = new BindingTable()
    save(table, aor, register({ contacts: ['<sip:a@h>', '<sip:b@h>'] }), source, 0)
    const [first] = table.lookup(aor, 0) as [Binding]
    expect(table.remove(first).kind).toBe('removed')
    table.remove(first)
    expect([table.size, [...table.values()].length]).toEqual([1, 1])
  })
})
