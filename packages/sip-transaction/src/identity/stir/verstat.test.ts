import { describe, expect, it } from 'vitest'
import { invite } from '../fixtures/messages'
import { verstatChanges } from './verstat'

const from = (uri: string) => `From: "Ann" <${uri}>;tag=1`

describe('verstat (3GPP TS 24.229 §7.2A.20)', () => {
  it('stands with the number of P-Asserted-Identity, before the @', () => {
    const request = invite([
      from('sip:+12155551212@a.example'),
      'P-Asserted-Identity: <sip:+12155551212@a.example;user=phone>, <tel:+12155551212>',
    ])
    expect(verstatChanges(request, 'TN-Validation-Passed')).toEqual({
      set: [
        ['P-Asserted-Identity', '<sip:+12155551212;verstat=TN-Validation-Passed@a.example;user=phone>'],
        ['P-Asserted-Identity', '<tel:+12155551212;verstat=TN-Validation-Passed>'],
      ],
    })
  })

  it('stands in From where nothing is asserted, and keeps its tag and name', () => {
    const request = invite([from('sip:+12155551212@a.example')])
    expect(verstatChanges(request, 'TN-Validation-Failed')).toEqual({
      set: [['From', '"Ann" <sip:+12155551212;verstat=TN-Validation-Failed@a.example>;tag=1']],
    })
  })

  it('what somebody else has written there goes, wherever it stands', () => {
    const request = invite([
      from('sip:+12155551212;verstat=TN-Validation-Passed@a.example;verstat=x'),
      'P-Asserted-Identity: <tel:+12155551212;verstat=TN-Validation-Passed>',
    ])
    expect(verstatChanges(request)).toEqual({
      set: [
        ['P-Asserted-Identity', '<tel:+12155551212>'],
        ['From', '"Ann" <sip:+12155551212@a.example>;tag=1'],
      ],
    })
  })

  it('who is no number has none', () => {
    const request = invite([from('sip:alice@a.example')])
    expect(verstatChanges(request, 'TN-Validation-Passed')).toEqual({ set: [] })
  })
})
