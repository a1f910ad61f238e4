/** The number that so much of all (0 … 1) lies below. */
export const quantile = (numbers: number[], part: number) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length * part)];

export const median = (numbers: number[]) => quantile(numbers, 0.5);
