/** The programs in documents: each block of TypeScript, to be run and to be checked as it stands. */
import { files, read } from './repository'

/** One block. */
export interface DocumentExample {
  readonly path: string
  /** Its number among the blocks of its document, from 0. */
  readonly index: number
  readonly code: string
}

const DOCUMENTS = [
  'README.md',
  ...['sip-parser', 'sip-transaction', 'rtp-relay', 'server'].map((name) => `packages/${name}/README.md`),
  ...[
    'back-to-back',
    'cookbook',
    'events',
    'identity',
    'observing',
    'proxying',
    'registrations',
    'relay',
    'srtp',
    'stir',
    'testing',
  ].map((name) => `docs/guides/${name}.md`),
  'docs/reference/api-review.md',
].filter((path) => files.includes(path))

/** Blocks fenced as `ts`; those fenced as `ts ignore` are fragments that need what the text around them names. */
export const documentExamples: readonly DocumentExample[] = DOCUMENTS.flatMap((path) =>
  [...read(path).matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((match, index) => ({ path, index, code: match[1] ?? '' })),
)
