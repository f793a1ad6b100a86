/**
 * Names of cases. A case is made from the seed corpus by mutations, each with a seed of its own: the first one chooses
 * where to begin, each further one changes what came before it. So the seeds, and the corpus they were used on, are the
 * case: `1234.77@0badcafe`. An entry of the corpus as it is: `=5@0badcafe`.
 */
import { createHash } from 'node:crypto'
import { SeededGenerator } from '@carillon/sip-parser/testing'
import type { Target } from './target.ts'

/** Seeds of the mutations in order, or the place of an entry of the corpus that is taken as it is. */
export type CaseId = { readonly seeds: readonly number[] } | { readonly entry: number }

/** Writes a case for people and for {@link parseCaseId}. */
export function formatCaseId(id: CaseId, corpusHash: string): string {
  return `${'entry' in id ? `=${id.entry}` : id.seeds.join('.')}@${corpusHash}`
}

/** Reads a case; the corpus hash may be left out. Undefined for what is no case. */
export function parseCaseId(text: string): { readonly id: CaseId; readonly corpusHash?: string } | undefined {
  const match = /^(?:=(\d+)|(\d+(?:\.\d+)*))(?:@([0-9a-f]{8}))?$/.exec(text)
  if (match === null) return undefined
  const id: CaseId =
    match[1] === undefined ? { seeds: (match[2] ?? '').split('.').map(Number) } : { entry: Number(match[1]) }
  return match[3] === undefined ? { id } : { id, corpusHash: match[3] }
}

/** Makes the input of a case. */
export function inputOf(id: CaseId, target: Target, corpus: readonly Uint8Array[]): Uint8Array {
  if ('entry' in id) return corpus[id.entry] ?? new Uint8Array(0)
  let input: Uint8Array | undefined
  for (const seed of id.seeds) {
    const generator = new SeededGenerator(seed)
    // The corpus is mostly small and odd; every other case begins with something whole.
    input ??= generator.pick(generator.once(2) ? target.seeds : corpus)
    input = target.mutate(input, generator, corpus)
  }
  return input ?? new Uint8Array(0)
}

/** Eight hexadecimal digits that tell one seed corpus from another. */
export function hashOf(corpus: readonly Uint8Array[]): string {
  const hash = createHash('sha256')
  for (const entry of corpus) hash.update(`${entry.length}:`).update(entry)
  return hash.digest('hex').slice(0, 8)
}
