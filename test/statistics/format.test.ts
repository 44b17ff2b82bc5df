import { expect, test } from 'vitest';
import { multiplyAdds } from '../../lib/statistics/format.js';

test('multiply-adds are told in the largest unit of which there is a tenth', () => {
  const told = [0, 99, 100, 1_234, 12_345_678, 6.3e11, 1.25e13, 9e22, null, undefined, Number.NaN].map(
    multiplyAdds,
  );
  const expected = ['0', '99', '0.10 k', '1.23 k', '12.3 M', '0.63 T', '12.5 T', '90000.0 E', '–', '–', '–'];
  expect(told).toEqual(expected);
});
