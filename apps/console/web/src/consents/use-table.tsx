import { Text } from '@mantine/core';
import type { ConsentUseView } from '../../../src/api.js';
import { Id, Time } from '../parts/values.js';
import { scopeText, wordsOf } from './consent-words.js';

/** Reads under consents. `isOfOne`: of one consent, which need not be named in each row. */
export function UseTable({ uses, isOfOne }: { uses: readonly ConsentUseView[]; isOfOne: boolean }) {
  return (
    <table className="table">
      <thead>
        <tr>
          <th scope="col">Time (UTC)</th>
          <th scope="col">Who</th>
          <th scope="col">What</th>
          <th scope="col">Why</th>
          <th scope="col">May be kept until (UTC)</th>
          <th scope="col">{isOfOne ? 'Read' : 'Consent'}</th>
          <th scope="col">Fact</th>
        </tr>
      </thead>
      <tbody>
        {uses.map((use) => (
          <tr key={use.fact}>
            <td data-label="Time (UTC)">
              <Time at={use.at} bare />
            </td>
            <td data-label="Who">
              <Text size="sm" component="span" className="num">
                {use.recipient}
              </Text>
            </td>
            <td data-label="What">{scopeText(use)}</td>
            <td data-label="Why">{wordsOf(use.purpose)}</td>
            <td data-label="May be kept until (UTC)">
              <Time at={use.keepUntil} bare />
            </td>
            <td data-label={isOfOne ? 'Read' : 'Consent'}>
              {isOfOne ? `${use.n}, under version ${use.version}` : <Id value={use.consent} to={`/consents?consent=${use.consent}`} />}
            </td>
            <td data-label="Fact">
              <Id value={use.fact} to={`/decisions?id=${use.fact}`} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
