//! `Output`: what a finished command answered, with the questions tests ask of it.

/// What a finished command answered.
#[derive(Clone, Debug)]
#[must_use = "say what it should have answered"]
pub struct Output {
    /// The command, for messages.
    pub command: String,
    /// Its exit status; 128+n when signal n ended it.
    pub status: i32,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

impl Output {
    /// It exited with 0; answers its standard output without the last newline.
    #[track_caller]
    pub fn succeeds(&self) -> &str {
        self.exits(0);
        self.stdout.trim_end_matches('\n')
    }

    /// It was tried and did not succeed: an exit status from 125 to 127 says that it did not even run.
    #[track_caller]
    pub fn fails(&self) -> &Self {
        assert!(self.status != 0 && !(125..=127).contains(&self.status), "should have failed: {self}");
        self
    }

    /// It exited with exactly this.
    #[track_caller]
    pub fn exits(&self, status: i32) -> &Self {
        assert_eq!(self.status, status, "should have exited with {status}: {self}");
        self
    }

    /// Its standard output holds this.
    #[track_caller]
    pub fn prints(&self, text: &str) -> &Self {
        assert!(self.stdout.contains(text), "should have printed '{text}': {self}");
        self
    }

    /// Its standard error holds this.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.stderr.contains(text), "should have said '{text}': {self}");
        self
    }

    /// Its standard error is one line that holds all of these.
    #[track_caller]
    pub fn says_in_one_sentence(&self, words: &[&str]) -> &Self {
        assert_eq!(self.stderr.lines().count(), 1, "should have been one sentence: {self}");
        words.iter().for_each(|word| {
            self.says(word);
        });
        self
    }

    /// Its standard output as JSON.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        let text = self.succeeds();
        serde_json::from_str(text).unwrap_or_else(|error| panic!("not JSON ({error}): {self}"))
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Output { command, status, stdout, stderr } = self;
        write!(f, "{command}\n-- exit status {status}\n-- stdout\n{stdout}\n-- stderr\n{stderr}")
    }
}
