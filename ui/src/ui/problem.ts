interface Shape {
  status: number;
  code: string;
  text: string;
}

/** Reads a failed request without knowing the api layer, which lies above this one. */
export const ApiProblem = {
  of(error: unknown): Shape {
    if (error instanceof Error) {
      const { status, code } = error as { status?: unknown; code?: unknown };
      return {
        status: typeof status === 'number' ? status : -1,
        code: typeof code === 'string' ? code : '',
        text: error.message,
      };
    }
    return { status: -1, code: '', text: String(error) };
  },
};
