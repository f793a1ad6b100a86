import { parseMessage, SipRequest, SipUri } from '@carillon/sip-parser'
import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../testing'
import { AssertedIdentity } from './asserted-identity'
import { diversionsFromHistory, diversionsOf, divert, historyFromDiversions, mayDivert } from './diversions'
import { invite, response } from './fixtures/messages'
import { hidePrivate } from './history-entries'
import { applyPrivacy } from './privacy-service'
import { RequestHistory } from './request-history'
import { TrustDomain } from './trust-domain'

const trust = new TrustDomain({ addresses: ['10.0.0.0/8'], toStrangers: 'pass' })
const target = SipUri.of({ user: 'carol', host: 'example.com' })

/** Pieces of which the headers of this folder are made, right ones and wrong ones. */
const pieces = [
  '<sip:a@b>',
  '<sips:a@b:5061;cause=302;x=y?Privacy=history&Reason=SIP%3Bcause%3D486>',
  '<sip:%00%0d%0a@b?Reason=%0D%0A>',
  '<tel:+1-408>',
  '<mailto:a@b>',
  '"\\"é" ',
  'sip:a@b',
  ';index=1',
  ';index=1.0.1',
  ';index=1..2',
  ';index=99999999999999999999.1',
  ';mp=1',
  ';rc=x',
  ';reason="user-busy"',
  ';counter=4294967295',
  ';limit=-1',
  ';privacy=full',
  ';privacy=" "',
  ', ',
  ';',
  'id',
  'none',
  'critical',
  '<',
  '"',
  '\t',
  'ÿ',
  '%',
]

const names = ['Privacy', 'P-Asserted-Identity', 'P-Preferred-Identity', 'History-Info', 'Diversion', 'Supported']

describe('headers of identity that are anything', () => {
  it('never make a reader throw, and what is written of them can be read', () => {
    const random = new SeededRandom(20260101)
    const pick = (count: number) => Math.floor(random.fraction() * count)
    let readHistories = 0
    for (let turn = 0; turn < 4_000; turn += 1) {
      const lines = names.flatMap((name) =>
        Array.from({ length: pick(3) }, () => {
          const value = Array.from({ length: 1 + pick(5) }, () => pieces[pick(pieces.length)]).join('')
          return `${name}: ${value}`
        }),
      )
      const message = invite(lines)
      const source = { address: pick(2) === 0 ? '10.1.1.1' : '192.0.2.1' }
      const changes = [
        trust.changes({ message, source }, '192.0.2.7', { user: ['sip:a@b', 'tel:+1408'] }),
        divert(message, { from: message.uri, reason: 'away' }),
      ]
      for (const as of ['bridge', 'proxy'] as const) {
        const privacy = applyPrivacy(message, { as })
        if (privacy.ok) changes.push(privacy.changes)
      }
      const history = RequestHistory.of(message)
      if (history !== undefined) {
        readHistories += 1
        const entry = history.retarget(target, { isPrivate: true })
        history.answered(entry, response(486, lines))
        const shown = hidePrivate(history.entriesFor(entry), { isWhole: true })
        changes.push({ remove: ['History-Info'], add: shown.map((line) => ['History-Info', line] as const) })
        for (const line of diversionsFromHistory(history.entries)) changes.push({ add: [['Diversion', line]] })
      }
      changes.push({
        add: historyFromDiversions(diversionsOf(message), target).map((line) => ['History-Info', line] as const),
      })
      mayDivert(message, 5)
      AssertedIdentity.read(message, 'P-Asserted-Identity')?.number?.digits
      for (const { remove = [], add = [] } of changes) {
        const edit = message.edit()
        for (const name of remove) edit.remove(name)
        for (const [name, value] of add) edit.append(name, value)
        const again = parseMessage(edit.build().toBytes())
        expect(again.ok && again.message instanceof SipRequest).toBe(true)
      }
    }
    // Enough of them are right for the rest to mean something.
    expect(readHistories).toBeGreaterThan(1_000)
  })
})
