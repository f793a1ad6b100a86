/**
 * The entry of `npm run demo`: exit code 0 when both phones heard each other, 1 with the reason when not.
 */
import { runDemo } from './run-demo'

runDemo({ toneMs: 3_000, print: (line) => console.log(line) }).then(
  () => {
    console.log('\nBoth tones were heard. The demonstration worked.')
    process.exit(0)
  },
  (error: unknown) => {
    console.error(`\nThe demonstration failed: ${error instanceof Error ? error.message : String(error)}`)
    process.exit(1)
  },
)
