"""The admin shows exams' facts and edits none of them: requests, bookings and reports change through services."""
