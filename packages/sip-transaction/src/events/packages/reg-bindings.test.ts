import { createRequest } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { BindingTable } from '../../registrar/binding-table'
import { regInfoOf } from './reg-bindings'
import { regPackage } from './reg-info'

const aor = 'sip:joe@example.com'
const source = { flowId: 1, transport: 'UDP', address: '192.0.2.1', port: 5060 }

function register(cseq: number, contact: string, expires: number) {
  return createRequest({
    method: 'REGISTER',
    uri: 'sip:example.com',
    headers: [
      ['Via', 'SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1'],
      ['To', `<${aor}>`],
      ['From', `<${aor}>;tag=1`],
      ['Call-ID', 'c'],
      ['CSeq', `${cseq} REGISTER`],
      ['Contact', contact],
      ['Expires', expires],
    ],
  })
}

describe('regInfoOf', () => {
  it('RFC 3680 §5.2: tells each contact of a registrar, and how it came, stayed or went', () => {
    const table = new BindingTable()
    const told = (cseq: number, contact: string, expires: number, nowMs: number) => {
      const { changes } = table.apply({ message: register(cseq, contact, expires), source }, nowMs, aor)
      const info = regInfoOf(aor, table.lookup(aor, nowMs), changes, nowMs)
      const read = regPackage.read(Buffer.from(String(regPackage.write(info, cseq))), regPackage.contentType)
      if (!read.ok) throw new Error(read.reason)
      const [registration] = read.state.registrations
      const contacts = registration!.contacts.map(
        ({ uri, state, event, expires: left }) => `${uri} ${state} ${event} ${left}`,
      )
      return [registration!.state, ...contacts.sort()]
    }
    expect(told(1, '<sip:joe@192.0.2.1>', 100, 0)).toEqual(['active', 'sip:joe@192.0.2.1 active registered 100'])
    expect(told(2, '<sip:joe@192.0.2.2>;q=0.5', 100, 10_000)).toEqual([
      'active',
      'sip:joe@192.0.2.1 active registered 90',
      expect.stringMatching(/^sip:joe@192\.0\.2\.2 active (registered|created) 100$/),
    ])
    expect(told(3, '<sip:joe@192.0.2.1>', 200, 20_000)[1]).toBe('sip:joe@192.0.2.1 active refreshed 200')
    expect(told(4, '<sip:joe@192.0.2.1>', 0, 30_000)).toEqual([
      'active',
      'sip:joe@192.0.2.1 terminated unregistered undefined',
      'sip:joe@192.0.2.2 active registered 80',
    ])
    expect(told(5, '<sip:joe@192.0.2.2>', 0, 40_000)[0]).toBe('terminated')
    expect(regInfoOf(aor, [], [], 0).registrations[0]).toMatchObject({ state: 'init', contacts: [] })
  })
})
