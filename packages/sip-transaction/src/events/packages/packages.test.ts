import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../testing'
import type { EventPackage } from '../event-package'
import { type ConferenceInfo, conferencePackage } from './conference'
import { type DialogEntry, type DialogInfo, dialogPackage } from './dialog-info'
import { messageSummaryPackage } from './message-summary'
import { composePresence, type Presence, presencePackage } from './presence'
import { referPackage } from './refer'
import { type RegInfo, regPackage } from './reg-info'

function read<State>(event: EventPackage<State>, text: string): State {
  const result = event.read(Buffer.from(text), event.contentType)
  if (!result.ok) throw new Error(result.reason)
  return result.state
}

const problemOf = (event: EventPackage<unknown>, text: string) => {
  const result = event.read(Buffer.from(text), event.contentType)
  return result.ok ? undefined : result.reason
}

/** What a state is after it went over the wire. */
const again = <State>(event: EventPackage<State>, state: State, version = 0) =>
  read(event, String(event.write(state, version)))

const presence: Presence = {
  entity: 'sip:alice@example.com',
  tuples: [
    {
      id: 't1',
      basic: 'open',
      contact: 'sip:alice@192.0.2.1',
      priority: 0.8,
      notes: ['a <b> & "c"'],
      timestamp: '2026-01-01T00:00:00Z',
    },
    { id: 't2', basic: 'closed', contact: undefined, priority: undefined, notes: [], timestamp: undefined },
  ],
  notes: ['Zürich'],
  activities: ['on-the-phone', 'away'],
}

describe('presence', () => {
  it('RFC 3856 §6, RFC 3863 §4.1: comes back as it was written', () => {
    expect(again(presencePackage, presence)).toEqual(presence)
  })

  it('reads what other programs write: prefixes, extensions, white space', () => {
    const state = read(
      presencePackage,
      `<?xml version="1.0" encoding="UTF-8"?>
<impp:presence xmlns:impp="urn:ietf:params:xml:ns:pidf" xmlns:x="urn:other" entity="pres:someone@example.com">
  <impp:tuple id="bs35r9">
    <impp:status><impp:basic> open </impp:basic><x:location>home</x:location></impp:status>
    <impp:contact priority="2">im:someone@mobilecarrier.net</impp:contact>
    <impp:note xml:lang="en">Don't Disturb Please!</impp:note>
  </impp:tuple>
</impp:presence>`,
    )
    expect(state.tuples).toMatchObject([
      { id: 'bs35r9', basic: 'open', priority: undefined, notes: ["Don't Disturb Please!"] },
    ])
  })

  it('refuses what is none', () => {
    expect(problemOf(presencePackage, '<presence entity="x"/>')).toBe('no PIDF')
    expect(problemOf(presencePackage, '<presence xmlns="urn:ietf:params:xml:ns:pidf"/>')).toBe('no entity')
  })

  it('RFC 3903 §3: is composed of what several devices have published', () => {
    const other = {
      ...presence,
      tuples: [{ id: 't1', basic: 'open' as const }],
      notes: ['Zürich', 'x'],
      activities: [],
    }
    const composed = composePresence('sip:a@example.com', [presence, other])
    expect(composed.tuples.map(({ id }) => id)).toEqual(['t1', 't2', 't1-2'])
    expect([composed.notes, composed.activities]).toEqual([
      ['Zürich', 'x'],
      ['on-the-phone', 'away'],
    ])
  })
})

const entry = (id: string, state: DialogEntry['state']): DialogEntry => ({
  id,
  state,
  event: state === 'terminated' ? 'remote-bye' : undefined,
  code: undefined,
  direction: 'recipient',
  callId: 'c@x',
  localTag: 'l',
  remoteTag: 'r',
  durationSeconds: 12,
  local: { identity: 'sip:alice@example.com', displayName: 'Alice "A"', target: 'sip:alice@192.0.2.1' },
  remote: undefined,
})

const dialogs = (version: number, kind: 'full' | 'partial', ...entries: DialogEntry[]): DialogInfo => ({
  entity: 'sip:alice@example.com',
  version,
  kind,
  dialogs: entries,
})

describe('dialog', () => {
  it('RFC 4235 §4.1: comes back as it was written, with its version', () => {
    const state = dialogs(7, 'partial', entry('1', 'confirmed'), entry('2', 'terminated'))
    expect(again(dialogPackage, state, 7)).toEqual(state)
  })

  it('RFC 4235 §4.3: changes are put onto the whole, and a gap asks for it anew', () => {
    const merge = dialogPackage.merge!
    const whole = merge(undefined, dialogs(0, 'full', entry('1', 'early')))!
    const next = merge(whole, dialogs(1, 'partial', entry('1', 'confirmed'), entry('2', 'trying')))!
    expect(next.dialogs.map(({ id, state }) => `${id} ${state}`)).toEqual(['1 confirmed', '2 trying'])
    expect(merge(next, dialogs(1, 'partial', entry('3', 'trying')))).toBe(next)
    expect(merge(next, dialogs(3, 'partial', entry('3', 'trying')))).toBeUndefined()
    expect(merge(undefined, dialogs(1, 'partial'))).toBeUndefined()
    expect(merge(next, dialogs(2, 'partial', entry('1', 'terminated')))!.dialogs.map(({ id }) => id)).toEqual(['2'])
  })

  it('does not grow without end by changes', () => {
    let whole: DialogInfo | undefined = dialogs(0, 'full')
    for (let version = 1; version < 10 && whole !== undefined; version += 1) {
      const entries = Array.from({ length: 1_000 }, (_each, index) => entry(`${version}.${index}`, 'trying'))
      whole = dialogPackage.merge!(whole, dialogs(version, 'partial', ...entries))
    }
    expect(whole).toBeUndefined()
  })

  it('refuses what is none', () => {
    expect(problemOf(dialogPackage, '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" entity="x"/>')).toBe(
      'no entity or version',
    )
    const broken = String(dialogPackage.write(dialogs(0, 'full', entry('1', 'early')), 0)).replace(
      '>early<',
      '>dancing<',
    )
    expect(problemOf(dialogPackage, broken)).toBe('a dialog without id or state')
  })
})

describe('message-summary', () => {
  it('RFC 3842 §5.2: comes back as it was written', () => {
    const state = {
      waiting: true,
      account: 'sip:alice@vmail.example.com',
      counts: { 'voice-message': { new: 2, old: 8, newUrgent: 0, oldUrgent: 2 }, 'fax-message': { new: 0, old: 1 } },
    }
    expect(messageSummaryPackage.write(state, 0)).toBe(
      'Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\nFax-Message: 0/1\r\n',
    )
    expect(again(messageSummaryPackage, state)).toEqual(state)
  })

  it('stops at the empty line before single messages, and reads bare line ends', () => {
    expect(read(messageSummaryPackage, 'Messages-Waiting: no\nVoice-Message: 0/0\n\nTo: <x>\nnonsense')).toEqual({
      waiting: false,
      account: undefined,
      counts: { 'voice-message': { new: 0, old: 0 } },
    })
    expect(problemOf(messageSummaryPackage, 'Voice-Message: 1/1\r\n')).toBe('no Messages-Waiting')
    expect(problemOf(messageSummaryPackage, 'nonsense')).toBe('a line without colon')
  })
})

const registrations = (version: number, kind: 'full' | 'partial', ...states: ('active' | 'terminated')[]): RegInfo => ({
  version,
  kind,
  registrations: [
    {
      id: 'a7',
      aor: 'sip:joe@example.com',
      state: 'active',
      contacts: states.map((state, index) => ({
        id: `${index}`,
        uri: `sip:joe@192.0.2.${index};transport=tcp`,
        state,
        event: state === 'active' ? 'registered' : 'expired',
        expires: 100,
        q: 0.5,
        callId: 'x@y',
        cseq: 3,
        displayName: 'Joe',
        instance: '<urn:uuid:00000000-0000-1000-8000-000a95a0e128>',
        publicGruu: 'sip:joe@example.com;gr=1',
        temporaryGruu: 'sip:x@example.com;gr',
      })),
    },
  ],
})

describe('reg', () => {
  it('RFC 3680 §5, RFC 5628 §5: comes back as it was written', () => {
    const state = registrations(4, 'full', 'active', 'terminated')
    expect(again(regPackage, state, 4)).toEqual(state)
  })

  it('RFC 3680 §5.1: changes are put onto the whole, and a gap asks for it anew', () => {
    const merge = regPackage.merge!
    const whole = merge(undefined, registrations(0, 'full', 'active', 'active'))!
    const next = merge(whole, registrations(1, 'partial', 'terminated'))!
    expect(next.registrations[0]!.contacts.map(({ id }) => id)).toEqual(['1'])
    expect(merge(next, registrations(3, 'partial', 'active'))).toBeUndefined()
    expect(merge(next, registrations(1, 'partial', 'active'))).toBe(next)
  })
})

const conference: ConferenceInfo = {
  entity: 'sips:conf233@example.com',
  version: 0,
  kind: 'full',
  subject: 'Agenda',
  usersMax: 50,
  userCount: 2,
  isActive: true,
  isLocked: false,
  users: [
    {
      entity: 'sip:bob@example.com',
      kind: 'full',
      displayText: 'Bob',
      roles: ['participant'],
      endpoints: [
        {
          entity: 'sip:bob@pc33.example.com',
          kind: undefined,
          displayText: 'Laptop',
          status: 'connected',
          joiningMethod: 'dialed-in',
          media: [{ id: '1', type: 'audio', label: '34567', status: 'sendrecv' }],
        },
      ],
    },
  ],
}

describe('conference', () => {
  it('RFC 4575 §5: comes back as it was written', () => {
    expect(again(conferencePackage, conference)).toEqual(conference)
  })

  it('RFC 4575 §4.6: changes of users and endpoints are put onto the whole', () => {
    const merge = conferencePackage.merge!
    const [bob] = conference.users
    const partial = (version: number, users: ConferenceInfo['users']): ConferenceInfo => ({
      entity: conference.entity,
      version,
      kind: 'partial',
      users,
    })
    const held = partial(1, [
      {
        entity: 'sip:bob@example.com',
        kind: 'partial',
        endpoints: [{ entity: 'sip:bob@pc33.example.com', kind: 'partial', status: 'on-hold' }],
      },
      { entity: 'sip:carol@example.com', kind: 'full', endpoints: [] },
    ])
    const next = merge(conference, held)!
    expect(next.users.map(({ entity }) => entity)).toEqual(['sip:bob@example.com', 'sip:carol@example.com'])
    expect(next.users[0]!.endpoints[0]).toMatchObject({
      status: 'on-hold',
      displayText: 'Laptop',
      media: bob!.endpoints[0]!.media,
    })
    expect([next.subject, next.isActive]).toEqual(['Agenda', true])
    const gone = merge(next, partial(2, [{ entity: 'sip:bob@example.com', kind: 'deleted', endpoints: [] }]))!
    expect(gone.users.map(({ entity }) => entity)).toEqual(['sip:carol@example.com'])
    expect(merge(gone, partial(4, []))).toBeUndefined()
  })
})

describe('refer', () => {
  it('RFC 3515 §2.4.5: reads the status line, whatever follows it', () => {
    expect(read(referPackage, 'SIP/2.0 100 Trying\r\n')).toEqual({ status: 100, reason: 'Trying' })
    expect(read(referPackage, 'SIP/2.0 603 Declined twice\r\nTo: <x>\r\n')).toEqual({
      status: 603,
      reason: 'Declined twice',
    })
    expect(read(referPackage, 'SIP/2.0 200')).toEqual({ status: 200, reason: '' })
    for (const text of ['', 'SIP/2.0 99 x', 'SIP/2.0 700 x', 'INVITE sip:x SIP/2.0\r\n', 'SIP/2.0 2000 OK'])
      expect(problemOf(referPackage, text), text).toBe('no status line')
  })

  it('never writes a second line out of a reason', () => {
    expect(again(referPackage, { status: 200, reason: 'OK\r\nX: y' })).toEqual({ status: 200, reason: 'OK X: y' })
    expect(String(referPackage.write({ status: 200, reason: 'OK\r\nX: y' }, 0))).toBe('SIP/2.0 200 OK X: y\r\n')
  })
})

describe('every package', () => {
  const packages: readonly EventPackage<never>[] = [
    presencePackage,
    dialogPackage,
    messageSummaryPackage,
    regPackage,
    conferencePackage,
    referPackage,
  ] as never

  it.each(packages.map((event) => [event.name, event] as const))(
    '%s never throws, whatever the bytes',
    (_name, event) => {
      const written = Buffer.from(
        String(
          event === (presencePackage as never)
            ? presencePackage.write(presence, 0)
            : event === (conferencePackage as never)
              ? conferencePackage.write(conference, 0)
              : event === (regPackage as never)
                ? regPackage.write(registrations(1, 'full', 'active'), 1)
                : dialogPackage.write(dialogs(1, 'full', entry('1', 'early')), 1),
        ),
      )
      const random = new SeededRandom(7)
      const upTo = (max: number) => Math.floor(random.fraction() * (max + 1))
      for (let run = 0; run < 300; run += 1) {
        const noise = random.bytes(upTo(64))
        const at = upTo(written.length)
        const rest = written.subarray(Math.min(at + upTo(40), written.length))
        const body = Buffer.concat([written.subarray(0, at), noise.map((byte) => 0x20 + (byte % 0x5f)), rest])
        for (const each of [noise, body, body.subarray(0, at)])
          expect(typeof event.read(each, event.contentType).ok).toBe('boolean')
      }
    },
  )
})
